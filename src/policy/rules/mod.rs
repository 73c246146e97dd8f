//! What a policy may hold a change to: one rule a file.
