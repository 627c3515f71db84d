//! The advice for engines that a pipeline calls: EMR, Redshift, S3, Snowflake, databases, Terraform, Athena.

use super::{Advice, Names, RERUN, history, lines};
use pipewarden_shared::failure::Escalation;

pub(super) fn emr_step(names: &Names) -> Advice {
    let cluster = names.cluster.as_deref().unwrap_or("<cluster id>");
    let step = names.step.as_deref().unwrap_or("<step id>");
    Advice {
        category: "EMR step",
        actions: vec![
            format!("Read the stderr of {step} in the cluster's log bucket: its last exception is the cause."),
            "If the cluster ended with it, its state-change reason says why; then start both again.".to_owned(),
            RERUN.to_owned(),
        ],
        steps: vec![
            format!("Look at the step: aws emr describe-step --cluster-id {cluster} --step-id {step}"),
            format!("Read its log: aws s3 cp s3://<log bucket>/<prefix>/{cluster}/steps/{step}/stderr.gz - | gunzip"),
            format!("Look at the cluster: aws emr describe-cluster --cluster-id {cluster} --query Cluster.Status"),
        ],
        escalate_to: Escalation::OnCall,
    }
}

pub(super) fn redshift_copy(names: &Names) -> Advice {
    Advice {
        category: "Redshift",
        actions: lines(&[
            "Read which file, line and column was refused; nothing of a failed COPY is loaded.",
            "Have the file mended at its source, or set it aside; then load again.",
        ]),
        steps: vec![
            "See what was refused: SELECT * FROM sys_load_error_detail ORDER BY start_time DESC LIMIT 20".to_owned(),
            "Read the statement's own error: SELECT query_id, status, error_message FROM sys_query_history \
             WHERE status = 'failed' ORDER BY start_time DESC LIMIT 10"
                .to_owned(),
            history(names),
        ],
        escalate_to: Escalation::OnCall,
    }
}

pub(super) fn s3_permission(names: &Names) -> Advice {
    let bucket = names.bucket.as_deref().unwrap_or("<bucket>");
    Advice {
        category: "S3",
        actions: lines(&[
            "Find which of three parties refused: the role's policy, the bucket's policy, or the key's policy.",
            "Let that one allow what the message names, and nothing more; then start the state machine again.",
        ]),
        steps: vec![
            format!("Read the bucket's policy: aws s3api get-bucket-policy --bucket {bucket}"),
            format!("Find its key: aws s3api get-bucket-encryption --bucket {bucket}"),
            "Ask what the role may: aws iam simulate-principal-policy --policy-source-arn <role arn> \
             --action-names s3:GetObject s3:PutObject s3:ListBucket"
                .to_owned(),
        ],
        escalate_to: Escalation::PlatformTeam,
    }
}

pub(super) fn snowflake_external_table(names: &Names) -> Advice {
    Advice {
        category: "Snowflake",
        actions: lines(&[
            "Refresh it: ALTER EXTERNAL TABLE <table> REFRESH; then run the model again.",
            "If it fails again, compare the table's columns with a file of today.",
        ]),
        steps: vec![
            "List what the stage holds: LIST @<stage>".to_owned(),
            "See what was registered: SELECT * FROM TABLE(information_schema.external_table_files('<table>')) LIMIT 20"
                .to_owned(),
            history(names),
        ],
        escalate_to: Escalation::OnCall,
    }
}

pub(super) fn db_connectivity(names: &Names) -> Advice {
    Advice {
        category: "Database",
        actions: lines(&[
            "See whether the database is up and has connections left; then run again.",
            "If it never worked from there, open the way: route, security group, name.",
        ]),
        steps: vec![
            "Test the way from the job's subnet: nc -vz <host> <port>".to_owned(),
            "Look for a failover or a restart: aws rds describe-events --source-type db-instance --duration 180"
                .to_owned(),
            "Look at DatabaseConnections in CloudWatch against max_connections.".to_owned(),
            history(names),
        ],
        escalate_to: Escalation::OnCall,
    }
}

pub(super) fn terraform_apply() -> Advice {
    Advice {
        category: "Terraform",
        actions: lines(&[
            "Do not run it again before you know whether the state is locked, or was written half.",
            "Ask the lock's owner in the message whether it still runs; only then force-unlock.",
            "Mend what was refused, look at a plan, then apply.",
        ]),
        steps: lines(&[
            "See what was made: terraform state list; terraform plan -refresh-only",
            "Compare the versions of the state in its bucket: aws s3api list-object-versions --bucket <bucket> \
             --prefix <state key>",
        ]),
        escalate_to: Escalation::PlatformTeam,
    }
}

pub(super) fn query(names: &Names) -> Advice {
    let id = names.query_id.as_deref().unwrap_or("<query id>");
    Advice {
        category: "Athena query",
        actions: lines(&["Read why the query failed in the message above.", RERUN]),
        steps: vec![
            format!("Look at the query: aws athena get-query-execution --query-execution-id {id}"),
            history(names),
        ],
        escalate_to: Escalation::OnCall,
    }
}
