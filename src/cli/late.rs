//! When a command's arguments are put together: all of them are most of a start, and most starts need one command's.

use std::marker::PhantomData;
use std::ops::Deref;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

/// When a command's arguments are put together.
pub(super) trait When {
    fn declare(command: Command, arguments: fn(Command) -> Command) -> Command;
}

/// With the tree, which help, completions and manual pages look through.
#[derive(Debug)]
pub(super) struct AtOnce;

impl When for AtOnce {
    fn declare(command: Command, arguments: fn(Command) -> Command) -> Command {
        arguments(command)
    }
}

/// When it is the one that was called.
#[derive(Debug)]
pub(super) struct Called;

impl When for Called {
    fn declare(command: Command, arguments: fn(Command) -> Command) -> Command {
        command.defer(arguments)
    }
}

/// What a command takes.
#[derive(Debug)]
pub(super) struct Late<A, W>(A, PhantomData<W>);

impl<A, W> Deref for Late<A, W> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: FromArgMatches, W> FromArgMatches for Late<A, W> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let read = A::from_arg_matches(matches)?;
        Ok(Self(read, PhantomData))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<A: Args, W: When> Args for Late<A, W> {
    fn augment_args(command: Command) -> Command {
        W::declare(command, A::augment_args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        W::declare(command, A::augment_args_for_update)
    }
}

impl<C: Subcommand, W: When> Subcommand for Late<C, W> {
    fn augment_subcommands(command: Command) -> Command {
        W::declare(command, C::augment_subcommands)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        W::declare(command, C::augment_subcommands_for_update)
    }

    fn has_subcommand(name: &str) -> bool {
        C::has_subcommand(name)
    }
}
