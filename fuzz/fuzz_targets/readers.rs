//! Feeds arbitrary bytes to the reader that `MAESTRO_READER` names (`src/fuzzing.rs` lists them): it must neither panic, hang nor grow.
//!
//! Before it begins, the reader's own seed goes to the folder that `MAESTRO_SEEDS` names.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static READER: LazyLock<String> =
    LazyLock::new(|| std::env::var("MAESTRO_READER").expect("MAESTRO_READER names a reader of src/fuzzing.rs"));

fuzz_target!(
    init: {
        let seed = maestro::fuzz_seed(&READER).unwrap_or_else(|| panic!("there is no reader `{}`", *READER));
        if let Ok(folder) = std::env::var("MAESTRO_SEEDS") {
            std::fs::write(Path::new(&folder).join("seed"), seed).expect("the seed is written");
        }
    },
    |bytes: &[u8]| maestro::fuzz_feed(&READER, bytes)
);
