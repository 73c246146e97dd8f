//! What a judge's verdict means: who mends what, and when the run goes on all the same.

use serde_json::Value;

use super::drive::Ended;
use super::engine::Workplace;
use super::steps::Abandon;
use super::team::Team;
use super::turn::{Undone, undone};
use crate::agents::board::Body;
use crate::agents::graph::TaskNo;
use crate::agents::record::Work;
use crate::agents::roles::Right;
use crate::agents::step::{End, Turn};

impl Team<'_> {
    /// Ends a turn that is not done. Where the run goes on without it, it leaves what it stood on, and says why.
    pub(super) fn not_done(&self, turn: Turn, undone: &Undone) -> Result<Ended, Abandon> {
        // Why something is not done stands in the pull request too.
        let why = match self.guard.leak(&undone.why) {
            Some(leak) => format!("its reason has what nobody may know in it: {leak}"),
            None => self.cut(&undone.why),
        };
        let role = self.role(&self.spec(turn.task).role);
        let is_last = turn.number >= self.tries_of(turn.task) || undone.end == End::Hopeless;
        let counts = matches!(undone.end, End::Refused | End::Broken | End::Hopeless);
        if role.is_some_and(|role| !role.gates)
            && is_last
            && counts
            && let Ok(ground) = self.ground(turn.task)?
        {
            let work = Work {
                commit: Some(ground.commit),
                tree: Some(ground.tree),
                why,
                ..Work::default()
            };
            let end = End::Done;
            return Ok(Ended { turn, end, work });
        }
        Ok(super::team::ended(turn, undone.end.clone(), why))
    }

    /// Blames those whose work a reviewer refuses.
    pub(super) fn verdict(
        &self,
        place: &Workplace<'_>,
        answer: &Value,
    ) -> Result<Vec<Body>, Undone> {
        if !place.role.gates {
            // It stands on the blackboard, for people.
            return Ok(Vec::new());
        }
        let findings = answer["findings"].as_array().cloned().unwrap_or_default();
        let blocking: Vec<&Value> = findings
            .iter()
            .filter(|finding| finding["severity"] == "blocking")
            .collect();
        if blocking.is_empty() && answer["verdict"] != "request-changes" {
            return Ok(Vec::new());
        }
        let mut why = String::new();
        let mut paths = Vec::new();
        for finding in &blocking {
            let text = |name: &str| finding[name].as_str().unwrap_or_default();
            paths.push(text("path"));
            why.push_str(&format!(
                "{}:{} {}: {} {}\n",
                text("path"),
                finding["line"],
                text("title"),
                text("why"),
                text("fix")
            ));
        }
        if why.is_empty() {
            answer["summary"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut why);
        }
        let blamed = self.blamed(place.turn.task, &paths);
        undone(End::Rejected(blamed), why)
    }

    /// Returns who wrote some files, of those above; all who may write code where nobody did.
    pub(super) fn blamed(&self, task: TaskNo, paths: &[&str]) -> Vec<TaskNo> {
        let above = self.graph.above(task);
        let writes = |one: &&TaskNo| {
            let role = self.role(&self.spec(**one).role);
            role.is_some_and(|role| role.right != Right::Nothing)
        };
        let names = |one: &&TaskNo| {
            let spec = self.spec(**one);
            let mut own = spec.files.iter().chain(&spec.new_files);
            own.any(|path| paths.contains(&path.as_str()))
        };
        let owners: Vec<TaskNo> = above.iter().filter(writes).filter(names).copied().collect();
        if !owners.is_empty() {
            return owners;
        }
        let is_code = |one: &&TaskNo| {
            let role = self.role(&self.spec(**one).role);
            role.is_some_and(|role| matches!(role.right, Right::Scope | Right::Paths))
        };
        above.iter().filter(is_code).copied().collect()
    }
}
