//! What happens next in a run: a pure machine over the task graph. Whoever drives it carries out its effects, and tells what came of them.
//!
//! The order of effects depends on the plan and on the events alone. A task that failed is tried again, by a stronger model where the check
//! refused the work; one that cannot be done stops its dependants and nobody else.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::graph::{Graph, TaskNo};

/// How much may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Tasks that are worked on at once.
    pub(crate) width: u32,
    /// Times that a task is tried.
    pub(crate) tries: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self { width: 4, tries: 3 }
    }
}

/// Which work on a task it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) task: TaskNo,
    /// From 1. What others found wrong with the work counts as a try.
    #[serde(rename = "try")]
    pub(crate) number: u8,
    /// How often the ground under it changed because earlier work was done again.
    pub(crate) round: u16,
    /// How many tiers above where it began.
    pub(crate) climb: u8,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// The work is committed.
    Done,
    /// There was an answer, and a check refused it.
    Refused,
    /// There was none.
    Broken,
    /// Others must mend their work first: these tasks, of those above.
    Rejected(Vec<TaskNo>),
    /// Trying again would not help.
    Hopeless,
    /// There is no money for it.
    Money,
}

/// Why a run stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Halt {
    /// A cap.
    Budget,
    /// The time is over.
    Deadline,
    /// A person, or the machine, wants it to stop.
    Asked,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    Ended(Turn, End),
    /// Nobody works on it any more, and it did not end: it will be begun again when the run goes on.
    Left(Turn),
    Halted(Halt),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Work on a task.
    Begin(Turn),
    /// Nothing is left to do.
    Over,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Others must be done first.
    Waiting,
    /// It may begin.
    Ready,
    /// Somebody works on it.
    Running,
    /// Somebody works on it, and it will not count, because the ground under it changed.
    Stale,
    Done,
    Failed,
    /// Somebody that it needs failed.
    Skipped,
}

#[derive(Debug, Clone)]
struct Task {
    phase: Phase,
    /// Dependencies that are not done.
    missing: u32,
    tries: u8,
    limit: u8,
    round: u16,
    climb: u8,
}

/// Where a run stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    graph: Graph,
    limits: Limits,
    tasks: Vec<Task>,
    ready: BinaryHeap<Reverse<TaskNo>>,
    running: u32,
    halted: Option<Halt>,
    is_over: bool,
}

impl State {
    pub(crate) fn new(graph: Graph, limits: Limits) -> Self {
        let numbers = (0..graph.len()).map(|at| TaskNo(u32::try_from(at).unwrap_or(u32::MAX)));
        let tasks = numbers.map(|task| Task {
            phase: Phase::Waiting,
            missing: u32::try_from(graph.needs(task).len()).unwrap_or(u32::MAX),
            tries: 0,
            limit: limits.tries,
            round: 0,
            climb: 0,
        });
        let tasks = tasks.collect();
        Self {
            graph,
            limits,
            tasks,
            ready: BinaryHeap::new(),
            running: 0,
            halted: None,
            is_over: false,
        }
    }

    /// Lets tasks be tried so often, each its own number of times.
    pub(crate) fn with_tries(mut self, limits: &[u8]) -> Self {
        let tasks = self.tasks.iter_mut().zip(limits);
        tasks.for_each(|(task, limit)| task.limit = *limit);
        self
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn phase(&self, task: TaskNo) -> Phase {
        self.tasks[task.at()].phase
    }

    pub(crate) fn halted(&self) -> Option<Halt> {
        self.halted
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether every task is done.
    pub(crate) fn is_complete(&self) -> bool {
        self.tasks.iter().all(|task| task.phase == Phase::Done)
    }

    /// Returns the tasks in a phase, in the plan's order.
    #[cfg(test)]
    pub(crate) fn all_in(&self, phase: Phase) -> Vec<TaskNo> {
        let numbers = (0..).map(TaskNo).zip(&self.tasks);
        let found = numbers.filter(|(_, task)| task.phase == phase);
        found.map(|(number, _)| number).collect()
    }

    fn make_ready(&mut self, task: TaskNo) {
        self.tasks[task.at()].phase = Phase::Ready;
        self.ready.push(Reverse(task));
    }

    /// Begins what may begin, smallest number first.
    fn fill(&mut self, effects: &mut Vec<Effect>) {
        while self.halted.is_none() && self.running < self.limits.width {
            let Some(Reverse(number)) = self.ready.pop() else {
                break;
            };
            let task = &mut self.tasks[number.at()];
            // It may have been taken back, or be there twice.
            if task.phase != Phase::Ready {
                continue;
            }
            task.phase = Phase::Running;
            task.tries += 1;
            let turn = Turn {
                task: number,
                number: task.tries,
                round: task.round,
                climb: task.climb,
            };
            self.running += 1;
            effects.push(Effect::Begin(turn));
        }
        if self.running == 0 && !self.is_over {
            self.is_over = true;
            effects.push(Effect::Over);
        }
    }

    fn done(&mut self, number: TaskNo) {
        self.tasks[number.at()].phase = Phase::Done;
        for at in 0..self.graph.feeds(number).len() {
            let next = self.graph.feeds(number)[at];
            let task = &mut self.tasks[next.at()];
            task.missing = task.missing.saturating_sub(1);
            if task.missing == 0 && task.phase == Phase::Waiting {
                self.make_ready(next);
            }
        }
    }

    fn fail(&mut self, number: TaskNo) {
        self.tasks[number.at()].phase = Phase::Failed;
        for below in self.graph.below(number) {
            let task = &mut self.tasks[below.at()];
            if matches!(task.phase, Phase::Waiting | Phase::Ready) {
                task.phase = Phase::Skipped;
            }
        }
    }

    /// Lets a task be tried again, if it may be.
    fn again(&mut self, number: TaskNo, climbs: bool) {
        let task = &mut self.tasks[number.at()];
        if task.tries >= task.limit {
            self.fail(number);
            return;
        }
        task.climb = task.climb.saturating_add(u8::from(climbs));
        self.make_ready(number);
    }

    /// Opens work that was done, with all that stands on it, because `by` refused it. When nobody can mend it, `by` fails.
    fn reject(&mut self, by: TaskNo, blamed: &[TaskNo]) {
        let above = self.graph.above(by);
        let may = |task: &Task| task.phase == Phase::Done && task.tries < task.limit;
        let open: Vec<TaskNo> = blamed
            .iter()
            .copied()
            .filter(|one| above.contains(one) && may(&self.tasks[one.at()]))
            .collect();
        if open.is_empty() {
            self.fail(by);
            return;
        }
        // Judging again is no try of the judge's own.
        let judge = &mut self.tasks[by.at()];
        judge.tries = judge.tries.saturating_sub(1);
        judge.phase = Phase::Waiting;
        for blamed in &open {
            let task = &mut self.tasks[blamed.at()];
            task.climb = task.climb.saturating_add(1);
            task.phase = Phase::Waiting;
            task.round += 1;
            for below in self.graph.below(*blamed) {
                let task = &mut self.tasks[below.at()];
                task.round += 1;
                match task.phase {
                    Phase::Running => task.phase = Phase::Stale,
                    Phase::Done | Phase::Ready => {
                        // The work that was done is thrown away through no fault of its own.
                        if task.phase == Phase::Done {
                            task.tries = task.tries.saturating_sub(1);
                        }
                        task.phase = Phase::Waiting;
                    }
                    Phase::Waiting | Phase::Stale | Phase::Failed | Phase::Skipped => {}
                }
            }
        }
        self.count();
    }

    /// Counts anew who waits for whom.
    fn count(&mut self) {
        for at in 0..self.tasks.len() {
            let number = TaskNo(u32::try_from(at).unwrap_or(u32::MAX));
            let needs = self.graph.needs(number).iter();
            let missing = needs.filter(|one| self.tasks[one.at()].phase != Phase::Done);
            let missing = u32::try_from(missing.count()).unwrap_or(u32::MAX);
            self.tasks[at].missing = missing;
            if missing == 0 && self.tasks[at].phase == Phase::Waiting {
                self.make_ready(number);
            }
        }
    }

    fn left(&mut self, turn: Turn) {
        let Some(task) = self.tasks.get_mut(turn.task.at()) else {
            return;
        };
        if matches!(task.phase, Phase::Running | Phase::Stale) {
            self.running = self.running.saturating_sub(1);
            task.tries = task.tries.saturating_sub(1);
            task.phase = Phase::Waiting;
            // Whoever leaves work does not go on.
            self.halted.get_or_insert(Halt::Asked);
        }
    }

    fn ended(&mut self, turn: Turn, end: End) {
        let number = turn.task;
        let Some(task) = self.tasks.get_mut(number.at()) else {
            return;
        };
        match task.phase {
            Phase::Running if task.tries == turn.number && task.round == turn.round => {}
            Phase::Stale => {
                self.running = self.running.saturating_sub(1);
                task.tries = task.tries.saturating_sub(1);
                task.phase = Phase::Waiting;
                let missing = task.missing;
                let mut needs = self.graph.needs(number).iter();
                let is_lost = needs.any(|one| {
                    matches!(self.tasks[one.at()].phase, Phase::Failed | Phase::Skipped)
                });
                if is_lost {
                    self.tasks[number.at()].phase = Phase::Skipped;
                } else if missing == 0 {
                    self.make_ready(number);
                }
                return;
            }
            // Nobody asked for it.
            _ => return,
        }
        self.running = self.running.saturating_sub(1);
        match end {
            End::Done => self.done(number),
            End::Refused => self.again(number, true),
            End::Broken => self.again(number, false),
            End::Rejected(blamed) => self.reject(number, &blamed),
            End::Hopeless => self.fail(number),
            End::Money => {
                self.fail(number);
                self.halted.get_or_insert(Halt::Budget);
            }
        }
    }
}

/// Takes what happened, and says what is to be done.
pub(crate) fn step(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Started => {
            for at in 0..state.tasks.len() {
                if state.tasks[at].missing == 0 && state.tasks[at].phase == Phase::Waiting {
                    state.make_ready(TaskNo(u32::try_from(at).unwrap_or(u32::MAX)));
                }
            }
        }
        Event::Ended(turn, end) => state.ended(turn, end),
        Event::Left(turn) => state.left(turn),
        Event::Halted(halt) => {
            state.halted.get_or_insert(halt);
        }
    }
    if !state.is_over {
        state.fill(effects);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn no(number: u32) -> TaskNo {
        TaskNo(number)
    }

    fn graph(needs: &[&[u32]]) -> Graph {
        let needs: Vec<Vec<TaskNo>> = needs
            .iter()
            .map(|own| own.iter().copied().map(TaskNo).collect())
            .collect();
        Graph::new(&needs).unwrap()
    }

    fn state(needs: &[&[u32]], width: u32) -> State {
        State::new(graph(needs), Limits { width, tries: 3 })
    }

    fn go(state: &mut State, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        step(state, event, &mut effects);
        effects
    }

    fn begun(effects: &[Effect]) -> Vec<Turn> {
        let begun = effects.iter().filter_map(|effect| match effect {
            Effect::Begin(turn) => Some(*turn),
            Effect::Over => None,
        });
        begun.collect()
    }

    fn turn(task: u32, number: u8, round: u16, climb: u8) -> Turn {
        Turn {
            task: no(task),
            number,
            round,
            climb,
        }
    }

    #[test]
    fn a_diamond_goes_down_in_the_order_of_the_plan() {
        let mut state = state(&[&[], &[0], &[0], &[1, 2]], 4);
        assert_eq!(begun(&go(&mut state, Event::Started)), [turn(0, 1, 0, 0)]);
        let next = go(&mut state, Event::Ended(turn(0, 1, 0, 0), End::Done));
        assert_eq!(begun(&next), [turn(1, 1, 0, 0), turn(2, 1, 0, 0)]);
        assert_eq!(
            go(&mut state, Event::Ended(turn(2, 1, 0, 0), End::Done)),
            []
        );
        let next = go(&mut state, Event::Ended(turn(1, 1, 0, 0), End::Done));
        assert_eq!(begun(&next), [turn(3, 1, 0, 0)]);
        let last = go(&mut state, Event::Ended(turn(3, 1, 0, 0), End::Done));
        assert_eq!(last, [Effect::Over]);
        assert!(state.is_complete());
    }

    #[test]
    fn a_failed_task_stops_its_dependants_and_nobody_else() {
        let mut state = state(&[&[], &[0], &[], &[2]], 1);
        go(&mut state, Event::Started);
        for number in 1..=3 {
            let effects = go(
                &mut state,
                Event::Ended(turn(0, number, 0, number - 1), End::Refused),
            );
            let next = if number < 3 {
                turn(0, number + 1, 0, number)
            } else {
                turn(2, 1, 0, 0)
            };
            assert_eq!(begun(&effects), [next]);
        }
        assert_eq!(state.phase(no(0)), Phase::Failed);
        assert_eq!(state.phase(no(1)), Phase::Skipped);
        go(&mut state, Event::Ended(turn(2, 1, 0, 0), End::Done));
        let last = go(&mut state, Event::Ended(turn(3, 1, 0, 0), End::Done));
        assert_eq!(last, [Effect::Over]);
        assert!(!state.is_complete());
        assert_eq!(state.all_in(Phase::Done), [no(2), no(3)]);
    }

    #[test]
    fn no_answer_is_asked_for_again_of_the_same_model() {
        let mut state = state(&[&[]], 1);
        go(&mut state, Event::Started);
        let next = go(&mut state, Event::Ended(turn(0, 1, 0, 0), End::Broken));
        assert_eq!(begun(&next), [turn(0, 2, 0, 0)]);
        let next = go(&mut state, Event::Ended(turn(0, 2, 0, 0), End::Refused));
        assert_eq!(begun(&next), [turn(0, 3, 0, 1)]);
        // Whoever speaks of an earlier turn is not heard.
        assert_eq!(
            go(&mut state, Event::Ended(turn(0, 2, 0, 0), End::Done)),
            []
        );
    }

    #[test]
    fn what_a_reviewer_refuses_is_done_again_with_all_that_stands_on_it() {
        // implement, test, document beside it, review.
        let mut state = state(&[&[], &[0], &[0], &[1]], 2);
        go(&mut state, Event::Started);
        go(&mut state, Event::Ended(turn(0, 1, 0, 0), End::Done));
        go(&mut state, Event::Ended(turn(1, 1, 0, 0), End::Done));
        let refused = End::Rejected(vec![no(0)]);
        let next = go(&mut state, Event::Ended(turn(3, 1, 0, 0), refused.clone()));
        assert_eq!(begun(&next), [turn(0, 2, 1, 1)]);
        // The document was being written on ground that is gone.
        assert_eq!(state.phase(no(2)), Phase::Stale);
        assert_eq!(
            go(&mut state, Event::Ended(turn(2, 1, 0, 0), End::Done)),
            []
        );
        let next = go(&mut state, Event::Ended(turn(0, 2, 1, 1), End::Done));
        assert_eq!(begun(&next), [turn(1, 1, 1, 0), turn(2, 1, 1, 0)]);
        go(&mut state, Event::Ended(turn(2, 1, 1, 0), End::Done));
        let next = go(&mut state, Event::Ended(turn(1, 1, 1, 0), End::Done));
        assert_eq!(begun(&next), [turn(3, 1, 1, 0)]);
        // Three tries are all there are.
        let next = go(&mut state, Event::Ended(turn(3, 1, 1, 0), refused.clone()));
        assert_eq!(begun(&next), [turn(0, 3, 2, 2)]);
        for task in [0, 1, 2] {
            let number = if task == 0 { 3 } else { 1 };
            let climb = if task == 0 { 2 } else { 0 };
            go(
                &mut state,
                Event::Ended(turn(task, number, 2, climb), End::Done),
            );
        }
        let last = go(&mut state, Event::Ended(turn(3, 1, 2, 0), refused));
        assert_eq!(last, [Effect::Over]);
        assert_eq!(state.all_in(Phase::Failed), [no(3)]);
    }

    #[test]
    fn nothing_begins_when_the_money_is_gone() {
        let mut state = state(&[&[], &[], &[0]], 2);
        go(&mut state, Event::Started);
        assert_eq!(
            go(&mut state, Event::Ended(turn(0, 1, 0, 0), End::Money)),
            []
        );
        let last = go(&mut state, Event::Ended(turn(1, 1, 0, 0), End::Done));
        assert_eq!(last, [Effect::Over]);
        assert_eq!(state.halted(), Some(Halt::Budget));
        assert_eq!(state.all_in(Phase::Done), [no(1)]);
    }

    #[test]
    fn an_empty_graph_is_over_at_once() {
        let mut state = state(&[], 1);
        assert_eq!(go(&mut state, Event::Started), [Effect::Over]);
    }

    fn end(code: u8, above: &[TaskNo]) -> End {
        match code % 8 {
            0..=3 => End::Done,
            4 => End::Refused,
            5 => End::Broken,
            6 if !above.is_empty() => End::Rejected(above.to_vec()),
            _ => End::Hopeless,
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_nobody_begins_early_and_all_comes_to_an_end(
            needs in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..4), 1..20),
            codes in prop::collection::vec(any::<u8>(), 600),
            picks in prop::collection::vec(any::<u16>(), 600),
            width in 1..5_u32,
        ) {
            let needs: Vec<Vec<TaskNo>> = needs.iter().enumerate().map(|(at, own)| {
                let at = u32::try_from(at).unwrap();
                own.iter().filter(|_| at > 0).map(|one| TaskNo(one % at)).collect()
            }).collect();
            let mut state = State::new(Graph::new(&needs).unwrap(), Limits { width, tries: 3 });
            let mut open: Vec<Turn> = Vec::new();
            let mut seen = std::collections::BTreeSet::new();
            let mut effects = go(&mut state, Event::Started);
            let mut steps = 0;
            loop {
                for turn in begun(&effects) {
                    prop_assert!(seen.insert(turn), "{turn:?} twice");
                    prop_assert!(turn.number <= 3);
                    for need in state.graph().needs(turn.task) {
                        prop_assert_eq!(state.phase(*need), Phase::Done);
                    }
                    open.push(turn);
                }
                prop_assert!(open.len() <= width as usize);
                if effects.contains(&Effect::Over) {
                    break;
                }
                prop_assert!(!open.is_empty());
                let turn = open.swap_remove(usize::from(picks[steps % picks.len()]) % open.len());
                // After so many, everybody is content.
                let code = codes.get(steps).copied().unwrap_or(0);
                let end = end(code, &state.graph().above(turn.task));
                effects = go(&mut state, Event::Ended(turn, end));
                steps += 1;
            }
            prop_assert!(open.is_empty());
            for at in 0..needs.len() {
                let phase = state.phase(no(u32::try_from(at).unwrap()));
                prop_assert!(matches!(phase, Phase::Done | Phase::Failed | Phase::Skipped), "{phase:?}");
            }
            prop_assert!(go(&mut state, Event::Started).is_empty());
        }
    }
}
