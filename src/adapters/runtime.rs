//! What waits for sockets: made when something is first asked.

use std::error::Error as StdError;
use std::sync::OnceLock;

use crate::forge::request::Silence;

#[derive(Default)]
pub(super) struct Runtime(OnceLock<Result<tokio::runtime::Runtime, String>>);

impl Runtime {
    pub(super) fn get(&self) -> Result<&tokio::runtime::Runtime, Silence> {
        let build = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder
                .enable_io()
                .enable_time()
                .build()
                .map_err(|error| error.to_string())
        };
        let runtime = self.0.get_or_init(build);
        runtime
            .as_ref()
            .map_err(|words| Silence::Unusable(words.clone()))
    }
}

/// Tells a request that nobody heard from one that somebody may have.
pub(super) fn silence(error: &(dyn StdError + 'static)) -> Silence {
    let mut source = Some(error);
    while let Some(cause) = source {
        if cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
        {
            let words = words(error);
            // Asking again does not make it one that can be trusted.
            let is_certain = words.contains("certificate");
            return if is_certain {
                Silence::Unusable(words)
            } else {
                Silence::NotSent(words)
            };
        }
        source = cause.source();
    }
    Silence::Unknown(words(error))
}

/// Returns the last cause's words: those before it only say where it was noticed.
pub(super) fn words(error: &(dyn StdError + 'static)) -> String {
    let mut last: &(dyn StdError + 'static) = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
