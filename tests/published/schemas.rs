//! `schemas/` is what the types say. `MAESTRO_BLESS=1 cargo test generated` writes it anew.

#![expect(clippy::disallowed_methods, reason = "the published files lie outside")]

use std::path::Path;

use super::{SchemaName, drafts};
use clap::ValueEnum;

#[test]
fn generated_schemas_are_what_their_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for (file, name, text) in drafts() {
        let called = name.to_possible_value().unwrap();
        assert_eq!(called.get_name(), file);
        if std::env::var_os("MAESTRO_BLESS").is_some() {
            std::fs::write(folder.join(format!("{file}.json")), &text).unwrap();
        } else {
            assert!(
                name.text() == text,
                "schemas/{file}.json is stale; run MAESTRO_BLESS=1 cargo test generated"
            );
        }
    }
    assert_eq!(drafts().len(), SchemaName::value_variants().len());
}
