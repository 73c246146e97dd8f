//! A change that brings a GPL library and a token is stopped; without them it passes, and what was found out is signed and verified.

use super::Demo;
use crate::error::CommandError;

/// Where it happens.
pub(super) const CLONE: &str = "guard";

/// What a change may bring there.
const POLICY: &str = "\
schema: maestro.policy/v1
rules:
  - {rule: licences, id: what-we-may-ship, severity: block, reason: we sell what we build, owner: '@parcels/legal', allow: [MIT, Apache-2.0]}
  - {rule: secrets, id: no-secrets, severity: block, reason: what was pushed is known, owner: '@parcels/security'}
";

/// What it does to the desk.
const LABEL: &str = "\
/// Returns how large a label is, in millimetres.
pub fn label(grams: u32) -> u32 {
    if grams > 2000 { 100 } else { 60 }
}

#[cfg(test)]";

/// What is there, and what the change adds.
const PRESENT: (&str, &str) = ("clock", "MIT");
const ADDED: (&str, &str) = ("printer", "GPL-3.0-only");

/// The two halves of a token that no service ever issued: nobody finds it whole in this program.
const TOKEN: (&str, &str) = ("ghp_", "tE5nT0kEn1sM4dE2pF6oR8tH3eDeM0aBcDx9");

impl Demo<'_, '_> {
    pub(super) fn check_policy(&mut self) -> Result<(), CommandError> {
        self.clone_to("repository", CLONE)?;
        self.leave_text("guard/.maestro/policy.yaml", POLICY)?;
        self.commit_in(CLONE, "Say what a change may bring")?;
        self.quietly("git", &["-C", CLONE, "checkout", "--quiet", "-b", "labels"])?;
        self.leave("proof/base.json", &bill(&[PRESENT]))?;
        self.leave("proof/bill.json", &bill(&[PRESENT, ADDED]))?;
        let (one, other) = TOKEN;
        let labels = format!("token = \"{one}{other}\"\n");
        self.leave_text("guard/desk/labels.toml", &labels)?;
        self.edit("guard/desk/src/lib.rs", |text| {
            text.replace("#[cfg(test)]", LABEL)
        })?;
        self.commit_in(CLONE, "Print labels")?;
        self.judge(10)?;
        self.leave("proof/bill.json", &bill(&[PRESENT]))?;
        self.leave_text("guard/desk/labels.toml", "token_from = \"LABEL_TOKEN\"\n")?;
        self.quietly("git", &["-C", CLONE, "add", "--all"])?;
        let amend = ["-C", CLONE, "commit", "--quiet", "--amend", "--no-edit"];
        self.quietly("git", &amend)?;
        self.tell("# without the two");
        self.judge(0)
    }

    fn judge(&mut self, expected: i32) -> Result<(), CommandError> {
        #[rustfmt::skip]
        let args = [
            "-C", CLONE, "check-policy", "--base", "main", "--enforce", "--base-sbom", "../proof/base.json",
            "--sbom", "../proof/bill.json", "--report", "json=../proof/policy.json",
        ];
        let words = ["Policy: blocked", "Policy: passed", "BLOCK "];
        self.show(&args, expected, &words).map(drop)
    }

    pub(super) fn provenance(&mut self) -> Result<(), CommandError> {
        for old in ["proof/key.pem", "proof/key.pem.pub"] {
            // A demo that is run again has those of the last time.
            let _none_is_fine = self.session.world.files.remove(&self.folder.join(old));
        }
        let keygen = ["-C", CLONE, "provenance", "keygen", "--out"];
        self.show(&[keygen.as_slice(), &["../proof/key.pem"]].concat(), 0, &[])?;
        #[rustfmt::skip]
        let generate = [
            "-C", CLONE, "provenance", "generate", "--subject", "desk/labels.toml", "--policy", "../proof/policy.json",
            "--sbom", "../proof/bill.json", "--out", "../proof/statements",
        ];
        self.show(&generate, 0, &[])?;
        let statements = ["../proof/statements", "--key"];
        let sign = ["-C", CLONE, "provenance", "sign"];
        let key = ["../proof/key.pem"];
        self.show(
            &[sign.as_slice(), &statements, &key].concat(),
            0,
            &[" signed with "],
        )?;
        let verify = ["-C", CLONE, "provenance", "verify"];
        let key = ["../proof/key.pem.pub", "--artifact", "desk/labels.toml"];
        let verify = [verify.as_slice(), &statements, &key].concat();
        self.show(&verify, 0, &["verified: …, signed by"])?;
        self.leave_text("guard/desk/labels.toml", "token_from = \"OTHER_TOKEN\"\n")?;
        self.tell("# one word of the file is another");
        self.show(&verify, 14, &["  `provenance/… has sha256", "error: "])?;
        let mend = ["-C", CLONE, "checkout", "--quiet", "--", "desk/labels.toml"];
        self.quietly("git", &mend).map(drop)
    }

    pub(super) fn pr_health(&mut self) -> Result<(), CommandError> {
        #[rustfmt::skip]
        let health = [
            "-C", CLONE, "pr-health", "--base", "main", "--policy-report", "../proof/policy.json", "--format", "markdown",
        ];
        let words = [
            "### Health",
            "too little",
            "| factor ",
            "| complexity ",
            "| security ",
            "| reviews ",
        ];
        self.show(&health, 0, &words).map(drop)
    }
}

/// A bill of materials with these packages, each under its licence.
fn bill(packages: &[(&str, &str)]) -> serde_json::Value {
    let component = |(name, licence): &(&str, &str)| {
        serde_json::json!({
            "type": "library", "name": name, "version": "1.0.0", "purl": format!("pkg:cargo/{name}@1.0.0"),
            "licenses": [{"license": {"id": licence}}],
        })
    };
    let components: Vec<_> = packages.iter().map(component).collect();
    serde_json::json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})
}
