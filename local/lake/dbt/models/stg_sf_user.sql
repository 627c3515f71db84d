-- The change log with the columns the dimension needs.
select
    id,
    username,
    email,
    name,
    division,
    department,
    title,
    audit_phase__c,
    is_active,
    is_deleted,
    system_modstamp
from {{ source('lake', 'sf_user_raw') }}
