//! The built functions over the Lambda Runtime API.
