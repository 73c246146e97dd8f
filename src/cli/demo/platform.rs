//! Who runs the platform: metrics, messages, and many repositories beside one another.

use super::Demo;
use crate::error::CommandError;
use crate::json;

/// A clone whose configuration names a channel.
const CHANNEL: &str = "channel";

/// What it is told.
const NOTIFY: &str = "\
notify:
  - { to: webhook, url_env: PARCELS_HOOK, on: [flaky-new, policy-violation, budget-80, gate-blocked] }
";

/// What the organisation holds, and what its repositories make of it: the name, and what each enforces.
const FLOOR: &str = "schema: maestro.config/v1\nlocked: [enforce]\nenforce: [plan, policy]\n";
const REPOSITORIES: [(&str, &str); 2] = [("post", "plan, policy, flakes"), ("shop", "plan")];

impl Demo<'_, '_> {
    pub(super) fn observe(&mut self) -> Result<(), CommandError> {
        let export = ["-C", "repository", "observe", "export"];
        let file = ["--prometheus", "../maestro.prom"];
        self.show(&[export.as_slice(), &file].concat(), 0, &[])?;
        let text = self.text_of("maestro.prom")?;
        let words = [
            "maestro_flake_tests{maestro_flake_state=\"flaky\"",
            "maestro_agent_runs_total{",
            "maestro_policy_violations_total{",
        ];
        self.tell_lines(&text, &words);
        let dashboards = ["-C", "repository", "observe", "dashboards", "--out"];
        let words = [" ../grafana/dashboards/"];
        self.show(
            &[dashboards.as_slice(), &["../grafana"]].concat(),
            0,
            &words,
        )
        .map(drop)
    }

    pub(super) fn notify(&mut self) -> Result<(), CommandError> {
        self.clone_to("remote.git", CHANNEL)?;
        let config = format!("{CHANNEL}/.maestro/maestro.yaml");
        self.edit(&config, |text| format!("{text}{NOTIFY}"))?;
        self.maestro(&["-C", CHANNEL, "state", "pull"])?;
        let args = ["-C", CHANNEL, "notify"];
        let server = (b"{}".to_vec(), "PARCELS_HOOK");
        let heard = self.show_beside(&args, server, 0, &[])?;
        let mut told: Vec<String> = Vec::new();
        for (_, body) in heard {
            let notice: serde_json::Value = json::read(&body).unwrap_or_default();
            let word = |name: &str| notice[name].as_str().unwrap_or_default().to_owned();
            told.push(format!("heard {}: {}", word("type"), word("title")));
        }
        told.sort_unstable();
        for line in told {
            self.tell(&line);
        }
        let server = (b"{}".to_vec(), "PARCELS_HOOK");
        let heard = self.show_beside(&args, server, 0, &[])?;
        self.tell(&format!("heard {} more", heard.len()));
        Ok(())
    }

    pub(super) fn fleet(&mut self) -> Result<(), CommandError> {
        for (name, enforces) in REPOSITORIES {
            let clone = format!("fleet/{name}");
            self.clone_to("repository", &clone)?;
            self.quietly("git", &["-C", &clone, "remote", "remove", "origin"])?;
            self.leave_text(&format!("{clone}/ci/floor.yaml"), FLOOR)?;
            self.commit_in(&clone, "Hold what counts")?;
            let head = self.quietly("git", &["-C", &clone, "rev-parse", "HEAD"])?;
            let head = String::from_utf8_lossy(&head.stdout).trim().to_owned();
            let path = format!("{clone}/.maestro/maestro.yaml");
            self.edit(&path, |text| {
                format!("{text}extends: //ci/floor.yaml@{head}\nenforce: [{enforces}]\n")
            })?;
            self.commit_in(&clone, "Stand on the organisation's floor")?;
        }
        self.leave_text("fleet/repos.txt", "post\nshop\n")?;
        let args = ["-C", "fleet", "fleet", "diff", "--repos", "repos.txt"];
        let words = [
            "repositories: ",
            "loosens",
            " Repository ",
            " post ",
            " shop ",
        ];
        self.show(&[args.as_slice(), &["--check"]].concat(), 16, &words)
            .map(drop)
    }
}
