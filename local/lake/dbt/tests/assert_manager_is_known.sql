-- Wrong on purpose: the dimension has no manager_id, so that the test ends in an error instead of a verdict.
{{ config(enabled=var('strict')) }}
select id from {{ ref('dim_sf_user') }} where manager_id is null
