//! How long lists of tests are that stand on one another, and which of them stand on nothing.

use std::collections::HashMap;

use super::refusal::Reason;
use super::v1::ListShape;
use crate::event::Sha;

/// How many places lists have.
#[derive(Default)]
pub(super) struct Lengths(HashMap<Sha, Result<u32, (Reason, String)>>);

impl Lengths {
    /// Lists that stand on more others than this are not read.
    const DEEPEST: usize = 128;

    pub(super) fn of(
        &mut self,
        id: Sha,
        lists: &HashMap<Sha, ListShape>,
    ) -> Result<u32, (Reason, String)> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        let mut length = Ok(0);
        while let Some(id) = next {
            let Some(shape) = lists.get(&id) else {
                length = Err((Reason::NoList, id.to_string()));
                break;
            };
            if let Some(known) = self.0.get(&id) {
                length.clone_from(known);
                break;
            }
            if chain.len() > Self::DEEPEST {
                let problem = format!("it stands on more than {} lists", Self::DEEPEST);
                return Err((Reason::BadPayload, problem));
            }
            chain.push((id, shape));
            next = shape.base;
        }
        for (id, shape) in chain.into_iter().rev() {
            length = length.and_then(|base| {
                let problem = || {
                    (
                        Reason::BadPayload,
                        "it does not fit the list that it stands on".to_owned(),
                    )
                };
                shape.length(base).ok_or_else(problem)
            });
            self.0.insert(id, length.clone());
        }
        length
    }
}
