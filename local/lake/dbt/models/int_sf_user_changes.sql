-- The rows at which a version begins or ends: the first of a user, a change of a tracked column, a deletion.
with compared as (
    select
        *,
        lag(id) over history is null
        or lag(is_deleted) over history
        or (division, department, title, audit_phase__c, is_active) is distinct from (
            lag(division) over history, lag(department) over history, lag(title) over history,
            lag(audit_phase__c) over history, lag(is_active) over history
        ) as changed
    from {{ ref('stg_sf_user') }}
    window history as (partition by id order by system_modstamp)
)

select * from compared where changed or is_deleted
