//! Deflates what the binary brings and seldom reads: `src/packed.rs` unpacks it.
#![allow(
    clippy::disallowed_methods,
    reason = "it runs before there is anything to reach files through"
)]

use std::io::{self, Write};
use std::path::Path;
use std::{env, fs};

use flate2::{Compression, write::DeflateEncoder};

fn main() -> io::Result<()> {
    pack("schemas", &[("schemas", "", "json")])?;
    pack(
        "prompts",
        &[("prompts", "", "yaml"), ("prompts/parts", "parts/", "md")],
    )?;
    pack("policy", &[("docs/policy", "", "md")])?;
    pack("prices", &[("src/llm/prices", "", "json")])?;
    pack(
        "observability",
        &[
            ("examples/observability/dashboards", "dashboards/", "json"),
            (
                "examples/observability/provisioning/dashboards",
                "provisioning/dashboards/",
                "yaml",
            ),
            (
                "examples/observability/provisioning/datasources",
                "provisioning/datasources/",
                "yaml",
            ),
            ("examples/observability/rules", "rules/", "yml"),
            ("examples/observability", "", "yml"),
        ],
    )
}

/// Writes the texts of folders that have an ending, each behind its name, sorted by names; NUL ends each name and each text.
fn pack(stream: &str, folders: &[(&str, &str, &str)]) -> io::Result<()> {
    let mut texts = Vec::new();
    for (folder, prefix, ending) in folders {
        writeln!(io::stdout(), "cargo::rerun-if-changed={folder}")?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == *ending) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                texts.push((format!("{prefix}{name}"), fs::read(&path)?));
            }
        }
    }
    texts.sort();
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    let mut packed = DeflateEncoder::new(
        fs::File::create(Path::new(&out).join(stream))?,
        Compression::best(),
    );
    for (name, text) in texts {
        packed.write_all(&[name.as_bytes(), b"\0", &text, b"\0"].concat())?;
    }
    packed.finish().map(|_| ())
}
