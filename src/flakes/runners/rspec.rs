//! `RSpec`: a file of `--require` marks examples before they run (rspec.info, "skip examples").

use std::path::Path;

use super::skip::{path_in, program};
use super::{Runner, Skip, Unskippable};

pub(super) struct Rspec;

const FILE: &str = "maestro_quarantine.rb";

impl Runner for Rspec {
    fn name(&self) -> &'static str {
        "rspec"
    }

    /// `--tag` and `--example` choose by more than a name; a hook knows each example.
    fn skip(&self, tests: &[(&str, &str)], folder: &Path) -> Result<Skip, Unskippable> {
        for (suite, test) in tests {
            if test.contains("example at ./") {
                let why =
                    "it has no description, so its name changes when a line is added above it";
                return Err(Unskippable::test(suite, test, why));
            }
        }
        let args = vec!["--require".to_owned(), path_in(folder, FILE)];
        Ok(Skip::with_file(args, FILE, program(HOOK, tests)))
    }
}

/// Names examples as `rspec_junit_formatter` does, and as maestro's reader reads that.
const HOOK: &str = r#"# Leaves out what is in quarantine. Written by maestro; do not edit.
require "cgi"
require "json"
require "set"

begin
  require "rspec_junit_formatter"
rescue LoadError
  abort "maestro knows examples by the names that rspec_junit_formatter gives them, and it is not installed"
end

module MaestroQuarantine
  QUARANTINED = JSON.parse('NAMES').to_set
  FORMATTER = RSpecJUnitFormatter.allocate
  Notification = Struct.new(:example)

  def self.read(text)
    CGI.unescapeHTML(FORMATTER.send(:escape, text).gsub(/\r\n|[\n\t\r]/, " "))
  end

  def self.include?(example)
    notification = Notification.new(example)
    classname = FORMATTER.send(:classname_for, notification)
    name = FORMATTER.send(:description_for, notification)
    label = [read("rspec#{ENV["TEST_ENV_NUMBER"]}")]
    label << read(classname) unless classname.empty? || classname == name || read(classname) == label.last
    QUARANTINED.include?([label.join(" > "), read(name)])
  end
end

RSpec.configure do |config|
  config.before(:suite) do
    RSpec.world.all_examples.each do |example|
      example.metadata[:skip] = "in quarantine" if MaestroQuarantine.include?(example)
    end
  end

  # An example without a description gets its name from what it expects, when it runs.
  config.after(:suite) do
    late = RSpec.world.all_examples.select do |example|
      %i[passed failed].include?(example.execution_result.status) && MaestroQuarantine.include?(example)
    end
    raise "maestro could not leave out, as it has no description: #{late.map(&:full_description).join(", ")}" unless late.empty?
  end
end
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_leaves_out_what_is_meant() {
        let tests = [("rspec > spec.a_spec", "A #{b} it's")];
        let skip = Rspec.skip(&tests, Path::new("/out")).unwrap();
        assert_eq!(skip.args, ["--require", "/out/maestro_quarantine.rb"]);
        let (name, text) = skip.file.unwrap();
        assert_eq!(name, FILE);
        assert!(
            text.contains(r#"JSON.parse('[["rspec > spec.a_spec","A #{b} it\'s"]]')"#),
            "{text}"
        );
    }

    #[test]
    fn examples_that_are_called_by_their_line_are_refused() {
        let tests = [("rspec > spec.a_spec", "A example at ./spec/a_spec.rb:3")];
        assert!(Rspec.skip(&tests, Path::new("")).is_err());
    }
}
