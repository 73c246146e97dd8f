//! The sixth part of the demo: a change that brings a GPL library and a token is stopped; without them it passes, and what the run did is signed and
//! verified.

use super::Demo;
use crate::error::CommandError;

/// The clone that it happens in, from the folder of all parts and from the repository.
const CLONE: &str = "guard";
const BESIDE: &str = "../guard";

/// What a change may bring there.
const POLICY: &str = "\
schema: maestro.policy/v1
rules:
  - {rule: licences, id: what-we-may-ship, severity: block, reason: we sell what we build, owner: '@parcels/legal', allow: [MIT, Apache-2.0]}
  - {rule: secrets, id: no-secrets, severity: block, reason: what was pushed is known, owner: '@parcels/security'}
";

/// What is there, and what the change adds.
const PRESENT: (&str, &str) = ("clock", "MIT");
const ADDED: (&str, &str) = ("printer", "GPL-3.0-only");

/// The two halves of a token that no service ever issued: nobody finds it whole in this program.
const TOKEN: (&str, &str) = ("ghp_", "tE5nT0kEn1sM4dE2pF6oR8tH3eDeM0aBcDx9");

impl Demo<'_, '_> {
    /// Judges a change twice, and signs what the second run did.
    pub(super) fn stop_and_prove(&mut self) -> Result<(), CommandError> {
        self.say("\nA change that brings a GPL library and a token is stopped:");
        self.clone_to(CLONE)?;
        self.leave_text("../guard/.maestro/policy.yaml", POLICY)?;
        self.commit_in(CLONE, "Say what a change may bring")?;
        self.shown_in_folder("git", &["-C", CLONE, "checkout", "--quiet", "-b", "labels"])?;
        self.leave("../proof/base.json", &bill(&[PRESENT]))?;
        self.leave("../proof/bill.json", &bill(&[PRESENT, ADDED]))?;
        let (one, other) = TOKEN;
        self.leave_text(
            "../guard/desk/labels.toml",
            &format!("token = \"{one}{other}\"\n"),
        )?;
        self.commit_in(CLONE, "Print labels")?;
        self.judge("../proof/bill.json", 10)?;
        self.say("\nWithout them it may go in, and what was found out is signed, so that others can verify it:");
        self.leave("../proof/bill.json", &bill(&[PRESENT]))?;
        self.leave_text(
            "../guard/desk/labels.toml",
            "token_from = \"LABEL_TOKEN\"\n",
        )?;
        self.shown_in_folder("git", &["-C", CLONE, "add", "--all"])?;
        self.shown_in_folder(
            "git",
            &[
                "-C",
                CLONE,
                "-c",
                "user.name=Ada Example",
                "-c",
                "user.email=ada@example.com",
                "commit",
                "--quiet",
                "--amend",
                "--no-edit",
            ],
        )?;
        self.judge("../proof/bill.json", 0)?;
        self.say("\nHow it stands, and what nobody knows of it:");
        let health = [
            "-C",
            BESIDE,
            "pr-health",
            "--base",
            "main",
            "--policy-report",
            "../proof/policy.json",
        ];
        self.shows(&health, 0)?;
        self.prove()
    }

    fn judge(&mut self, bill: &str, expected: i32) -> Result<(), CommandError> {
        let args = [
            "-C",
            BESIDE,
            "check-policy",
            "--base",
            "main",
            "--enforce",
            "--base-sbom",
            "../proof/base.json",
            "--sbom",
            bill,
            "--report",
            "json=../proof/policy.json",
        ];
        self.shows(&args, expected).map(drop)
    }

    fn prove(&mut self) -> Result<(), CommandError> {
        let key = self.repository.join("../proof/key.pem");
        let public = self.repository.join("../proof/key.pem.pub");
        for old in [&key, &public] {
            // A demo that is run again has those of the last time.
            let _none_is_fine = self.session.world.files.remove(old);
        }
        self.shows(
            &[
                "-C",
                BESIDE,
                "provenance",
                "keygen",
                "--out",
                "../proof/key.pem",
            ],
            0,
        )?;
        let generate = [
            "-C",
            BESIDE,
            "provenance",
            "generate",
            "--subject",
            "desk/labels.toml",
            "--policy",
            "../proof/policy.json",
            "--sbom",
            "../proof/bill.json",
            "--out",
            "../proof/statements",
        ];
        self.shows(&generate, 0)?;
        self.shows(
            &[
                "-C",
                BESIDE,
                "provenance",
                "sign",
                "../proof/statements",
                "--key",
                "../proof/key.pem",
            ],
            0,
        )?;
        let verify = [
            "-C",
            BESIDE,
            "provenance",
            "verify",
            "../proof/statements",
            "--key",
            "../proof/key.pem.pub",
            "--artifact",
            "desk/labels.toml",
        ];
        self.shows(&verify, 0)?;
        self.say("\nOne word of the file is another, and nothing is verified any more:");
        self.leave_text(
            "../guard/desk/labels.toml",
            "token_from = \"OTHER_TOKEN\"\n",
        )?;
        self.shows(&verify, 14).map(drop)
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
