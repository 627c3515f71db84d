-- One row a version of a user.
{% set audit_phase = 'audit_phase_code__c' if var('broken_model') else 'audit_phase__c' %}
with bounded as (
    select
        *,
        system_modstamp as valid_from,
        lead(system_modstamp) over history as valid_to,
        coalesce(lead(is_deleted) over history, false) as ended_by_deletion
    from {{ ref('int_sf_user_changes') }}
    window history as (partition by id order by system_modstamp)
)

select
    md5(id || '|' || valid_from) as user_sk,
    id,
    username,
    email,
    name,
    division,
    department,
    title,
    {{ audit_phase }} as audit_phase__c,
    is_active,
    valid_from,
    valid_to,
    valid_to is null as is_current,
    ended_by_deletion as is_deleted,
    cast('{{ run_started_at }}' as timestamptz) as dbt_updated_at
from bounded
where not is_deleted
