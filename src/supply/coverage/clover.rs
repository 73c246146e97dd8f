//! Clover's XML (`clover.xsd` of OpenClover; written by PHPUnit and istanbul too): `file` has a `path`, or its path as `name`, and `line` a `num` and
//! either a `count` or, as a condition, how often it was true and false.

use super::Out;
use super::xml::{Element, Elements};

#[derive(Default)]
pub(super) struct Clover {
    is_in_file: bool,
}

impl Elements for Clover {
    fn begin(&mut self, element: &Element<'_>, out: &mut Out) -> Result<(), String> {
        match element.name() {
            b"file" => {
                let path = element.get("path").or_else(|| element.get("name"));
                out.begin(&path.ok_or("a file has neither `path` nor `name`")?);
                self.is_in_file = true;
            }
            b"line" if self.is_in_file => {
                // The line of a method is its declaration, which its statements speak for.
                if element.get("type").as_deref() == Some("method") {
                    return Ok(());
                }
                let counts = |name| element.count(name).is_some_and(|count| count > 0.0);
                let hit = counts("count")
                    || element.get("count").is_none()
                        && (counts("truecount") || counts("falsecount"));
                out.line(element.line("num")?, hit)?;
            }
            b"line" => return Err("a line stands outside of any file".into()),
            _ => {}
        }
        Ok(())
    }
}
