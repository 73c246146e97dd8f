//! What a policy may hold a change to: one rule a file.

mod licences;
mod new_dependencies;
mod packages;
mod scan_findings;
mod vulnerabilities;
