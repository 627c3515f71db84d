-- Nobody has more than one current version.
select id, count(*) as current_versions
from {{ ref('dim_sf_user') }}
where is_current
group by id
having count(*) > 1
