//! What is measured: each function, the empty function below them, and a peer in Python.

use pipewarden_local::invoke;
use pipewarden_local::runtime_api::Bootstrap;
use std::path::{Path, PathBuf};

/// The name of the floor.
pub const EMPTY: &str = "empty function";

/// The name of the peer.
pub const PYTHON: &str = "Python, boto3";

/// The functions, each with the sample event that it is measured with.
const FUNCTIONS: [(&str, &str); 4] = [
    ("metrics-publisher", "success"),
    ("error-handler", "glue-job-failure"),
    ("alert-fanout", "glue-job-failure"),
    ("pipeline-validator", "dataset"),
];

/// A program that is measured, with its event.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its name in the table.
    pub name: String,
    /// How it is started.
    pub bootstrap: Bootstrap,
    /// What it is sent.
    pub event: Vec<u8>,
    /// The file that would be deployed; Lambda brings Python and boto3 itself.
    pub binary: Option<PathBuf>,
}

/// Where programs are, and what they are told.
#[derive(Debug, Clone, Copy)]
pub struct Place<'place> {
    /// The repository.
    pub root: &'place Path,
    /// Where the built programs are.
    pub binaries: &'place Path,
    /// A Python with boto3, where there is one.
    pub python: Option<&'place Path>,
    /// Where AWS calls go.
    pub endpoint: &'place str,
    /// The bundle that is trusted for AWS.
    pub aws_roots: &'place Path,
    /// The bundle that is trusted for AWS and others.
    pub others_roots: &'place Path,
}

impl Place<'_> {
    /// Every variant.
    ///
    /// # Errors
    /// Where a sample event cannot be read.
    pub fn variants(&self) -> std::io::Result<Vec<Variant>> {
        let publisher_event = self.event("metrics-publisher", "success")?;
        let mut variants = vec![self.binary(EMPTY, "empty_function", publisher_event.clone())];
        for (function, event) in FUNCTIONS {
            variants.push(self.binary(function, function, self.event(function, event)?));
        }
        if let Some(python) = self.python {
            let peers = self.root.join("benches/peers");
            variants.push(Variant {
                name: PYTHON.to_owned(),
                bootstrap: Bootstrap {
                    program: python.to_owned(),
                    arguments: vec![
                        peers.join("runtime.py").into(),
                        peers.join("metrics_publisher.py").into(),
                    ],
                    ..self.bootstrap("metrics-publisher-python")
                },
                event: publisher_event,
                binary: None,
            });
        }
        Ok(variants)
    }

    fn event(&self, function: &str, event: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(invoke::event_path(self.root, function, event))
    }

    fn binary(&self, name: &str, file: &str, event: Vec<u8>) -> Variant {
        let program = self.binaries.join(file);
        Variant {
            name: name.to_owned(),
            bootstrap: Bootstrap {
                program: program.clone(),
                ..self.bootstrap(file)
            },
            event,
            binary: Some(program),
        }
    }

    fn bootstrap(&self, name: &str) -> Bootstrap {
        // It calls others than AWS.
        let bundle = if name == "alert-fanout" {
            self.others_roots
        } else {
            self.aws_roots
        };
        let mut environment = invoke::environment(self.endpoint);
        // boto3 trusts the second and not the first.
        for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
            environment.push((variable.to_owned(), bundle.to_string_lossy().into_owned()));
        }
        Bootstrap {
            name: name.to_owned(),
            task_root: self.root.to_owned(),
            environment,
            ..Bootstrap::default()
        }
    }
}
