//! The driver: begins turns when their intent is on the disk, hears how they ended, and lets the machine say what comes next.

use std::collections::VecDeque;
use std::io;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::journal::Journal;
use crate::agents::record::{Record, Work};
use crate::agents::step::{Effect, End, Event, Halt, State, Turn, step};
use crate::order;

/// How a turn ended, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) turn: Turn,
    pub(crate) end: End,
    pub(crate) work: Work,
}

/// What a driver hears.
pub(crate) enum Message {
    /// So many lines of the journal are on the disk.
    Durable(Result<u64, String>),
    Ended(Box<Ended>),
    /// Nobody works on it any more, and it did not end.
    Left(Turn),
    Halt(Halt),
}

/// Where turns tell how they ended.
pub(crate) type Tell = UnboundedSender<Message>;

/// Who works on tasks.
pub(crate) trait Worker: Sync {
    /// Begins a turn. Its end is returned when it is there at once, and told otherwise.
    fn begin(&self, turn: Turn, tell: &Tell) -> Option<Ended>;
    /// Hears of a turn's end, in the order in which it counts.
    fn ended(&self, ended: &Ended);
    /// Hears that the run must stop: what is under way should end soon.
    fn halt(&self, halt: Halt);
}

/// A driver's business.
pub(crate) struct Drive<'d> {
    /// Nothing where nothing is kept.
    pub(crate) journal: Option<&'d Journal>,
    pub(crate) worker: &'d dyn Worker,
    /// Turns that ended before, in their order.
    pub(crate) past: VecDeque<Ended>,
    /// The end of the time.
    pub(crate) within: Option<std::time::Duration>,
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveProblem {
    #[error("the journal cannot be written")]
    Journal(#[source] io::Error),
    #[error("what waits for events cannot be made")]
    Runtime(#[source] io::Error),
    #[error("the journal says that {0:?} ended, which never began")]
    Past(Turn),
}

impl Drive<'_> {
    /// Works until nothing is left to do.
    pub(crate) fn run(mut self, state: &mut State) -> Result<(), DriveProblem> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().enable_io().build();
        let runtime = runtime.map_err(DriveProblem::Runtime)?;
        let (tell, mut hear) = unbounded_channel();
        std::thread::scope(|scope| {
            if let Some(journal) = self.journal {
                journal.open();
                let tell = tell.clone();
                scope.spawn(move || {
                    journal.keep_writing(&|durable| {
                        // Nobody hears it when the run is over.
                        let _heard = tell.send(Message::Durable(durable));
                    });
                });
            }
            watch(&runtime, &tell, self.within);
            let done = runtime.block_on(self.listen(state, &tell, &mut hear));
            if let Some(journal) = self.journal {
                journal.close();
            }
            done
        })
    }

    async fn listen(
        &mut self,
        state: &mut State,
        tell: &Tell,
        hear: &mut tokio::sync::mpsc::UnboundedReceiver<Message>,
    ) -> Result<(), DriveProblem> {
        let mut desk = Desk {
            journal: self.journal,
            worker: self.worker,
            durable: if self.journal.is_some() { 0 } else { u64::MAX },
            waiting: VecDeque::new(),
            events: VecDeque::from([Event::Started]),
            effects: Vec::new(),
        };
        desk.remember(state, std::mem::take(&mut self.past))?;
        loop {
            desk.turn(state, tell)?;
            if state.is_over() {
                return Ok(());
            }
            match hear.recv().await {
                Some(Message::Durable(Ok(durable))) => desk.durable = durable,
                Some(Message::Durable(Err(why))) => {
                    self.worker.halt(Halt::Asked);
                    return Err(DriveProblem::Journal(io::Error::other(why)));
                }
                Some(Message::Ended(ended)) => desk.take(*ended)?,
                Some(Message::Left(turn)) => desk.events.push_back(Event::Left(turn)),
                Some(Message::Halt(halt)) => desk.halt(halt)?,
                None => return Ok(()),
            }
        }
    }
}

/// What is on the driver's desk.
struct Desk<'d> {
    journal: Option<&'d Journal>,
    worker: &'d dyn Worker,
    durable: u64,
    /// Turns whose intent is not on the disk, with its line.
    waiting: VecDeque<(u64, Turn)>,
    events: VecDeque<Event>,
    effects: Vec<Effect>,
}

impl Desk<'_> {
    fn add(&self, record: &Record) -> Result<u64, DriveProblem> {
        match self.journal {
            Some(journal) => journal.add(record).map_err(DriveProblem::Journal),
            None => Ok(0),
        }
    }

    /// Lets the machine go through what happened before, without doing any of it again; what began and did not end is begun again.
    fn remember(&mut self, state: &mut State, past: VecDeque<Ended>) -> Result<(), DriveProblem> {
        if past.is_empty() {
            return Ok(());
        }
        let mut open: Vec<Turn> = Vec::new();
        let mut effects = Vec::new();
        self.events.clear();
        step(state, Event::Started, &mut effects);
        for ended in past {
            open.extend(begun(&mut effects));
            let place = open.iter().position(|turn| *turn == ended.turn);
            let place = place.ok_or(DriveProblem::Past(ended.turn))?;
            open.swap_remove(place);
            self.worker.ended(&ended);
            step(state, Event::Ended(ended.turn, ended.end), &mut effects);
        }
        open.extend(begun(&mut effects));
        order::sort(&mut open);
        // Their intent is in the journal, or is written twice: nothing was done for it that counts.
        for turn in open {
            let line = self.add(&Record::Begun { turn })?;
            self.waiting.push_back((line, turn));
        }
        Ok(())
    }

    /// Goes on until there is nothing to do without hearing something.
    fn turn(&mut self, state: &mut State, tell: &Tell) -> Result<(), DriveProblem> {
        loop {
            while let Some(event) = self.events.pop_front() {
                step(state, event, &mut self.effects);
                let mut effects = std::mem::take(&mut self.effects);
                for turn in begun(&mut effects) {
                    let line = self.add(&Record::Begun { turn })?;
                    self.waiting.push_back((line, turn));
                }
                self.effects = effects;
            }
            match self.waiting.front() {
                Some((line, turn)) if *line <= self.durable => {
                    let turn = *turn;
                    self.waiting.pop_front();
                    if let Some(ended) = self.worker.begin(turn, tell) {
                        self.take(ended)?;
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn take(&mut self, ended: Ended) -> Result<(), DriveProblem> {
        self.worker.ended(&ended);
        let Ended { turn, end, work } = ended;
        let record = Record::Ended { turn, end, work };
        self.add(&record)?;
        if let Record::Ended { turn, end, .. } = record {
            self.events.push_back(Event::Ended(turn, end));
        }
        Ok(())
    }

    fn halt(&mut self, halt: Halt) -> Result<(), DriveProblem> {
        self.add(&Record::Halted { halt })?;
        self.worker.halt(halt);
        self.events.push_back(Event::Halted(halt));
        Ok(())
    }
}

fn begun(effects: &mut Vec<Effect>) -> Vec<Turn> {
    let begun = effects.drain(..).filter_map(|effect| match effect {
        Effect::Begin(turn) => Some(turn),
        Effect::Over => None,
    });
    begun.collect()
}

/// Tells when the time is over, and when a person or the machine wants an end.
fn watch(runtime: &tokio::runtime::Runtime, tell: &Tell, within: Option<std::time::Duration>) {
    let say = |halt: Halt| {
        let tell = tell.clone();
        move || {
            // Nobody hears it when the run is over.
            let _heard = tell.send(Message::Halt(halt));
        }
    };
    if let Some(within) = within {
        let say = say(Halt::Deadline);
        runtime.spawn(async move {
            tokio::time::sleep(within).await;
            say();
        });
    }
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let say = say(Halt::Asked);
            runtime.spawn(async move {
                if let Ok(mut signal) = signal(kind)
                    && signal.recv().await.is_some()
                {
                    say();
                }
            });
        }
    }
    #[cfg(not(unix))]
    {
        let say = say(Halt::Asked);
        runtime.spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                say();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::agents::graph::{Graph, TaskNo};
    use crate::agents::step::{Limits, Phase};
    use crate::conduct::agents::recording::Recording;
    use crate::ports::log_file::LogFile;

    /// A file in memory, of which only what was flushed is durable.
    #[derive(Default, Clone)]
    struct Memory(std::sync::Arc<Mutex<(Vec<u8>, usize)>>);

    impl LogFile for Memory {
        fn read_from(&self, offset: u64) -> io::Result<Vec<u8>> {
            let file = self.0.lock().unwrap();
            Ok(file.0[usize::try_from(offset).unwrap()..].to_vec())
        }
        fn append(&self, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().0.extend_from_slice(bytes);
            Ok(())
        }
        fn sync(&self) -> io::Result<()> {
            let mut file = self.0.lock().unwrap();
            file.1 = file.0.len();
            Ok(())
        }
        fn cut(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn try_lock(&self) -> io::Result<bool> {
            Ok(true)
        }
        fn unlock(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Does nothing, and looks whether the intent is on the disk by then.
    struct Idle {
        file: Memory,
        begun: Mutex<Vec<Turn>>,
        fails: fn(Turn) -> End,
    }

    impl Worker for Idle {
        fn begin(&self, turn: Turn, _: &Tell) -> Option<Ended> {
            let file = self.file.0.lock().unwrap();
            let recording = Recording::read(&file.0[..file.1]).unwrap();
            assert!(recording.records.contains(&Record::Begun { turn }));
            drop(file);
            self.begun.lock().unwrap().push(turn);
            Some(Ended {
                turn,
                end: (self.fails)(turn),
                work: Work::default(),
            })
        }
        fn ended(&self, _: &Ended) {}
        fn halt(&self, _: Halt) {}
    }

    fn diamond() -> State {
        let needs = [
            vec![],
            vec![TaskNo(0)],
            vec![TaskNo(0)],
            vec![TaskNo(1), TaskNo(2)],
        ];
        State::new(Graph::new(&needs).unwrap(), Limits::default())
    }

    fn run(file: &Memory, fails: fn(Turn) -> End) -> (State, Vec<Turn>) {
        let bytes = file.0.lock().unwrap().0.clone();
        let recording = Recording::read(&bytes).unwrap();
        let journal = Journal::new(Box::new(file.clone()), recording.chain, None);
        let worker = Idle {
            file: file.clone(),
            begun: Mutex::default(),
            fails,
        };
        let past = recording.ended.into_iter();
        let drive = Drive {
            journal: Some(&journal),
            worker: &worker,
            past: past
                .map(|(turn, end, work)| Ended { turn, end, work })
                .collect(),
            within: None,
        };
        let mut state = diamond();
        drive.run(&mut state).unwrap();
        (state, worker.begun.into_inner().unwrap())
    }

    #[test]
    fn an_intent_is_durable_before_its_task_begins() {
        let (state, begun) = run(&Memory::default(), |_| End::Done);
        assert!(state.is_complete());
        assert_eq!(begun.len(), 4);
    }

    #[test]
    fn wherever_a_run_is_cut_off_no_ended_turn_begins_again() {
        let fails = |turn: Turn| match (turn.task.0, turn.number, turn.round) {
            (1, 1, _) => End::Refused,
            (3, _, 0) => End::Rejected(vec![TaskNo(2)]),
            _ => End::Done,
        };
        let whole = Memory::default();
        let (state, begun) = run(&whole, fails);
        assert!(state.is_complete());
        assert_eq!(begun.len(), 7);
        let bytes = whole.0.lock().unwrap().0.clone();
        for length in 0..=bytes.len() {
            let cut = memchr::memrchr(b'\n', &bytes[..length]).map_or(0, |end| end + 1);
            let file = Memory::default();
            file.append(&bytes[..cut]).unwrap();
            file.sync().unwrap();
            let before = Recording::read(&bytes[..length]).unwrap().ended;
            let (state, again) = run(&file, fails);
            assert!(state.is_complete(), "{length}");
            assert_eq!(before.len() + again.len(), 7, "{length}");
            for (turn, _, _) in &before {
                assert!(!again.contains(turn), "{length} {turn:?}");
            }
            assert_eq!(state.phase(TaskNo(3)), Phase::Done);
        }
    }
}
