//! Histories that are made up from the true failure rates of FlakeFlagger's tests.

use std::collections::BTreeMap;

use maestro::trial::Made;

/// Numbers without a pattern, from a seed (splitmix64).
pub struct Dice(u64);

impl Dice {
    pub fn of(parts: &[u64]) -> Self {
        let mut dice = Self(0x5eed);
        for part in parts {
            dice.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            dice.throw();
        }
        dice
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.throw() % bound.max(1) as u64) as usize
    }

    pub fn fraction(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn is(&mut self, chance: f64) -> bool {
        self.fraction() < chance
    }
}

/// A project of the data.
pub struct Project {
    pub name: String,
    pub suites: Vec<(String, Vec<String>)>,
    /// The failure rate of each test, and which suite it is in.
    pub rates: Vec<f64>,
    pub suite_of: Vec<usize>,
    /// Tests that fail together, in numbers that are the same for them.
    pub cluster: Vec<usize>,
}

/// Tests by class: name, rate of failing, and a key that is equal for those that failed together.
type Classes<'a> = BTreeMap<&'a str, Vec<(&'a str, f64, String)>>;

/// Reads the file; projects in order of name.
pub fn projects(text: &str) -> Vec<Project> {
    let mut rows: BTreeMap<&str, Classes<'_>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        // A test's name may have a comma; the six columns behind it have none.
        let [project, .., _, failed, passed, first, _, _] = cells.as_slice() else {
            continue;
        };
        let (failed, passed): (f64, f64) = (failed.parse().unwrap(), passed.parse().unwrap());
        let test = &line[project.len() + 1..];
        let test = test.rsplitn(7, ',').last().unwrap();
        let (class, name) = test.split_once('#').unwrap_or(("", test));
        let rate = failed / (failed + passed).max(1.0);
        // What failed first in the same run, and about as often, failed together.
        let often = failed.max(1.0).log2().round();
        rows.entry(project)
            .or_default()
            .entry(class)
            .or_default()
            .push((name, rate, format!("{first}/{often}")));
    }
    let project = |(name, classes): (&str, Classes<'_>)| {
        let mut clusters: BTreeMap<String, usize> = BTreeMap::new();
        let mut project = Project {
            name: name.to_owned(),
            suites: Vec::new(),
            rates: Vec::new(),
            suite_of: Vec::new(),
            cluster: Vec::new(),
        };
        for (class, tests) in classes {
            for (_, rate, key) in &tests {
                let next = clusters.len();
                project
                    .cluster
                    .push(*clusters.entry(key.clone()).or_insert(next));
                project.rates.push(*rate);
                project.suite_of.push(project.suites.len());
            }
            let names = tests.iter().map(|(name, ..)| (*name).to_owned());
            project.suites.push((class.to_owned(), names.collect()));
        }
        project
    };
    rows.into_iter().map(project).collect()
}

/// What is made up.
#[derive(Clone, Copy)]
pub struct Plan {
    pub runs: usize,
    /// Whether what fails is run once more.
    pub retries: bool,
    /// How often a regression that failed fails again on the retry.
    pub stays: f64,
    pub seed: u64,
    /// How often a commit breaks a test.
    pub breaks: f64,
}

/// How often a run is an outage of everything, and of a part.
pub const OUTAGE: f64 = 0.01;
pub const PARTIAL: f64 = 0.01;
/// How often a commit breaks a test that was never broken before.
pub const BREAKS: f64 = 0.002;
/// How often the next commit mends it.
pub const MENDS: f64 = 0.3;
/// How often a first attempt fails then.
pub const FAILS: f64 = 0.9;
/// How often a test of a cluster goes its own way.
const ALONE: f64 = 0.1;

/// A history with what is true of it.
pub struct History {
    pub made: Made,
    pub is_outage: Vec<bool>,
    /// For each test that was ever broken, the runs.
    pub broken: Vec<Option<(usize, usize)>>,
}

impl History {
    pub fn is_broken(&self, test: usize, run: usize) -> bool {
        self.broken[test].is_some_and(|(from, to)| (from..to).contains(&run))
    }
}

/// Says when which test is broken: by groups of a suite, each test once.
fn regressions(project: &Project, plan: &Plan, dice: &mut Dice) -> Vec<Option<(usize, usize)>> {
    let tests = project.rates.len();
    let mut broken = vec![None; tests];
    // Seven of ten regressions break one test, the others two to five: 1.75 tests each.
    let events = plan.breaks * tests as f64 / 1.75;
    for run in 0..plan.runs {
        let mut left = events;
        while left > 0.0 {
            if dice.is(left.min(1.0)) {
                let size = if dice.is(0.7) { 1 } else { 2 + dice.below(4) };
                let first = dice.below(tests);
                let mut end = run + 1;
                while end < plan.runs && !dice.is(MENDS) {
                    end += 1;
                }
                let same = |test: &usize| project.suite_of[*test] == project.suite_of[first];
                for test in (first..tests).take(size).filter(same) {
                    broken[test].get_or_insert((run, end));
                }
            }
            left -= 1.0;
        }
    }
    broken
}

/// Says which tests a part of an outage takes: any, or whole suites.
fn taken(project: &Project, dice: &mut Dice) -> Vec<bool> {
    let tests = project.rates.len();
    let share = 0.05 + 0.25 * dice.fraction();
    let wanted = (share * tests as f64).ceil() as usize;
    let small = project
        .suites
        .iter()
        .filter(|(_, tests)| tests.len() * 2 <= wanted);
    let small: usize = small.map(|(_, tests)| tests.len()).sum();
    let by_suite = dice.is(0.5) && small >= wanted * 2;
    let mut taken = vec![false; tests];
    let mut count = 0;
    while count < wanted {
        if by_suite {
            let suite = dice.below(project.suites.len());
            // What takes one suite down and nothing else is that suite's flake.
            if project.suites[suite].1.len() * 2 > wanted {
                continue;
            }
            for (other, of) in project.suite_of.iter().enumerate() {
                if *of == suite && !taken[other] {
                    taken[other] = true;
                    count += 1;
                }
            }
        } else {
            let test = dice.below(tests);
            count += usize::from(!taken[test]);
            taken[test] = true;
        }
    }
    taken
}

/// Makes a history up.
pub fn make(project: &Project, plan: &Plan, number: u64) -> History {
    let mut dice = Dice::of(&[plan.seed, number, plan.runs as u64, u64::from(plan.retries)]);
    let tests = project.rates.len();
    let broken = regressions(project, plan, &mut dice);
    let mut history = History {
        made: Made {
            suites: project.suites.clone(),
            runs: Vec::new(),
        },
        is_outage: vec![false; plan.runs],
        broken,
    };
    let flaky: Vec<usize> = (0..tests)
        .filter(|test| project.rates[*test] > 0.0)
        .collect();
    let clusters = project.cluster.iter().max().map_or(0, |most| most + 1);
    for run in 0..plan.runs {
        let fate = dice.fraction();
        let down: Option<Vec<bool>> = if fate < OUTAGE {
            Some((0..tests).map(|_| dice.is(0.97)).collect())
        } else if fate < OUTAGE + PARTIAL {
            Some(taken(project, &mut dice))
        } else {
            None
        };
        history.is_outage[run] = down.is_some();
        // Half of the outages are over when what failed is run again.
        let is_over = dice.is(0.5);
        let attempt = |is_down: bool, dice: &mut Dice, fails: f64| -> Vec<bool> {
            let together: Vec<f64> = (0..clusters).map(|_| dice.fraction()).collect();
            let mut failed = vec![false; tests];
            for &test in &flaky {
                let alone = dice.is(ALONE);
                let own = dice.fraction();
                let fate = if alone {
                    own
                } else {
                    together[project.cluster[test]]
                };
                failed[test] = fate < project.rates[test];
            }
            for (test, failed) in failed.iter_mut().enumerate() {
                let is_broken =
                    history.broken[test].is_some_and(|(from, to)| (from..to).contains(&run));
                *failed |= is_broken && dice.is(fails);
                *failed |= is_down && down.as_ref().is_some_and(|down| down[test]);
            }
            failed
        };
        let first = attempt(true, &mut dice, FAILS);
        let again = attempt(!is_over, &mut dice, plan.stays);
        let mut row = Vec::new();
        for test in 0..tests {
            let sequence = match (first[test], plan.retries, again[test]) {
                (false, ..) => continue,
                (true, false, _) => "f",
                (true, true, true) => "ff",
                (true, true, false) => "fp",
            };
            row.push((test as u32, sequence));
        }
        history.made.runs.push(row);
    }
    history
}
