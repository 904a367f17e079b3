//! One file per Terraform resource.
