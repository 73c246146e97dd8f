//! Feeds arbitrary bytes to the report reader: it must neither panic, hang nor grow.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _cases = maestro::fuzz_junit(bytes);
});
