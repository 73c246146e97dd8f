//! How long lists of tests are that stand on one another, and which of them stand on nothing.

use std::collections::HashMap;

use super::refusal::Reason;
use super::v1::ListShape;
use crate::sha::Sha;

/// How many places lists have, and on how many others they stand.
#[derive(Default)]
pub(super) struct Lengths(HashMap<Sha, Length>);

type Length = Result<Measure, (Reason, String)>;

#[derive(Clone, Copy)]
struct Measure {
    places: u32,
    /// On how many lists it stands.
    depth: u32,
    /// The places of the longest list among those and itself: laying it out begins with them.
    widest: u32,
}

impl Lengths {
    /// Lists that stand on more others than this are not read.
    const DEEPEST: u32 = 128;

    /// Returns how many places a list has, or why it has none.
    pub(super) fn of(
        &mut self,
        id: Sha,
        lists: &HashMap<Sha, ListShape>,
    ) -> Result<u32, (Reason, String)> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        let mut below: Option<Length> = None;
        while let Some(id) = next {
            if let Some(known) = self.0.get(&id) {
                below = Some(known.clone());
                break;
            }
            let Some(shape) = lists.get(&id) else {
                below = Some(Err((Reason::NoList, id.to_string())));
                break;
            };
            chain.push((id, shape));
            next = shape.base;
        }
        for (id, shape) in chain.into_iter().rev() {
            let length = above(shape, below);
            self.0.insert(id, length.clone());
            below = Some(length);
        }
        let nothing = Err((Reason::NoList, id.to_string()));
        below.unwrap_or(nothing).map(|measure| measure.places)
    }

    /// Returns how many places are looked at to lay out a list that was measured.
    pub(super) fn widest(&self, id: Sha) -> Option<u32> {
        let measure = self.0.get(&id)?.as_ref().ok()?;
        Some(measure.widest)
    }
}

/// Returns the length of a list that stands on another one, or on nothing.
fn above(shape: &ListShape, below: Option<Length>) -> Length {
    let bad = |problem: String| (Reason::BadPayload, problem);
    let (base, depth, widest) = match below {
        None => (0, 0, 0),
        Some(below) => below.map(|below| (below.places, below.depth + 1, below.widest))?,
    };
    if depth > Lengths::DEEPEST {
        return Err(bad(format!(
            "it stands on more than {} lists",
            Lengths::DEEPEST
        )));
    }
    let places = shape
        .length(base)
        .ok_or_else(|| bad("it does not fit the list that it stands on".into()))?;
    Ok(Measure {
        places,
        depth,
        widest: widest.max(places),
    })
}
