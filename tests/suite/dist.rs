//! The binary that users download: `MAESTRO_DIST` names one built with the `dist` profile.

use std::process::Command;

#[test]
fn the_dist_binary_is_small_and_static() {
    let Some(binary) = std::env::var_os("MAESTRO_DIST") else {
        eprintln!(
            "skipped: MAESTRO_DIST is not set; `.ci/interop dist` builds the binary and sets it"
        );
        return;
    };
    let size = std::fs::metadata(&binary).unwrap().len();
    assert!(size <= 10 * 1024 * 1024, "{size} bytes");
    let ldd = Command::new("ldd").arg(&binary).output().unwrap();
    let words = String::from_utf8_lossy(&[ldd.stdout, ldd.stderr].concat()).into_owned();
    assert!(
        words.contains("statically linked") || words.contains("not a dynamic executable"),
        "{words}"
    );
}
