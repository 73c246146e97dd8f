//! `JaCoCo`'s XML (`report.dtd` 1.1): `package` has the folder, `sourcefile` the name, and `line` counts instructions that were missed (`mi`) and
//! covered (`ci`). As in its own reports a line that was covered in part counts as covered.

use super::Out;
use super::xml::{Element, Elements};

#[derive(Default)]
pub(super) struct Jacoco {
    package: String,
    is_in_file: bool,
}

impl Elements for Jacoco {
    fn begin(&mut self, element: &Element<'_>, out: &mut Out) -> Result<(), String> {
        match element.name() {
            b"package" => {
                self.package = element.get("name").ok_or("a package has no `name`")?;
                self.is_in_file = false;
            }
            b"sourcefile" => {
                let name = element.get("name").ok_or("a source file has no `name`")?;
                match self.package.as_str() {
                    "" => out.begin(&name),
                    package => out.begin(&format!("{package}/{name}")),
                }
                self.is_in_file = true;
            }
            b"line" if self.is_in_file => {
                let counts = |name| element.count(name).is_some_and(|count| count > 0.0);
                // A line without an instruction is none.
                if counts("ci") || counts("mi") {
                    out.line(element.line("nr")?, counts("ci"))?;
                }
            }
            b"line" => return Err("a line stands outside of any source file".into()),
            _ => {}
        }
        Ok(())
    }
}
