-- How many people are in which audit phase now, a division.
select division, audit_phase__c, count(*) as people
from {{ ref('dim_sf_user') }}
where is_current
group by division, audit_phase__c
