//! Errors of the rooms about money and models.

use std::io;
use std::time::Duration;

use super::Said;
use crate::budget::book::BookProblem;
use crate::budget::caps::CapsProblem;
use crate::budget::foreign::ForeignProblem;
use crate::budget::lease::LeaseProblem;
use crate::budget::ledger::{Account, Refusal};
use crate::cli::budget::call_money::MoneyProblem as OfPurse;
use crate::cli::trouble::Reported as _;
use crate::conduct::gateway::money::Denied;
use crate::conduct::model::NoAnswer;
use crate::conduct::purse::PurseProblem;
use crate::gateway::door::Turned;
use crate::json;
use crate::llm::cassette::CassetteProblem;
use crate::llm::endpoint::EndpointProblem;
use crate::llm::priced::AnswerProblem;
use crate::llm::prices::PriceProblem;
use crate::llm::prices::import::ImportProblem;
use crate::llm::prices::rates::RateProblem;
use crate::llm::prices::table::TableProblem;
use crate::llm::reply::WireProblem;
use crate::llm::router::dataset::DatasetProblem;
use crate::llm::router::tiers::TiersProblem;
use crate::llm::usage::UsageProblem;
use crate::llm::worst::WorstProblem;
use crate::money::{MoneyProblem, Usd};

fn text(words: &str) -> String {
    words.to_owned()
}

fn usd(words: &str) -> Usd {
    words.parse().unwrap()
}

fn at() -> jiff::Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

fn json() -> serde_json::Error {
    json::read::<u8>("{").unwrap_err()
}

pub(super) fn say(said: &mut Said) {
    purses(said);
    leases(said);
    files(said);
    prices(said);
    models(said);
    router(said);
}

fn purses(said: &mut Said) {
    for one in [
        Refusal::Call {
            cap: usd("0.5"),
            asked: usd("0.75"),
        },
        Refusal::Account {
            account: Account::PullRequest,
            cap: usd("10"),
            committed: usd("9.5"),
            asked: usd("0.75"),
        },
        Refusal::Twice(text("7-1")),
        Refusal::TooLarge,
    ] {
        said.ends(one, |one| PurseProblem::from(one).into());
    }
    said.met([
        PurseProblem::Overshot {
            call: 3,
            over: usd("0.02"),
        },
        PurseProblem::Expired(at()),
        PurseProblem::Closed(at()),
        PurseProblem::ForeignTicket(text("0-1")),
        PurseProblem::Ended(3),
        PurseProblem::Damaged {
            path: "purse.ndjson".into(),
            line: 7,
            problem: text("call 3 was put aside twice"),
        },
        PurseProblem::Locked("purse.ndjson".into()),
        PurseProblem::Disk {
            path: "purse.ndjson".into(),
            source: io::Error::from(io::ErrorKind::StorageFull),
        },
        PurseProblem::Broken("purse.ndjson".into()),
    ]);
    said.inside([
        BookProblem::Schema(text("maestro.purse/v9")),
        BookProblem::NoHead,
        BookProblem::OtherLease,
        BookProblem::NotOpen(3),
        BookProblem::Twice(3),
    ]);
    // What a program behind the gateway is answered.
    said.inside([
        Denied::Reached(text("the cap of $2 is reached")),
        Denied::Closed,
    ]);
    said.inside([Turned::Stranger, Turned::Page, Turned::NoToken]);
}

fn leases(said: &mut Said) {
    said.met([
        LeaseProblem::Json(text("expected value at line 1 column 1")),
        LeaseProblem::Schema {
            found: text("maestro.lease/v9"),
            wanted: "maestro.lease/v1",
        },
        LeaseProblem::Altered,
        LeaseProblem::OtherRepository {
            found: text("acme/other"),
            own: text("acme/app"),
        },
        LeaseProblem::OtherRun {
            run: text("71"),
            attempt: 2,
        },
        LeaseProblem::Unknown,
        LeaseProblem::Differs,
        LeaseProblem::Settled {
            at: at(),
            spent: usd("1.25"),
        },
        LeaseProblem::Expired {
            at: at(),
            usd: usd("2"),
        },
    ]);
}

fn files(said: &mut Said) {
    said.reported([
        MoneyProblem::NotANumber(text("ten")),
        MoneyProblem::Negative(text("-1")),
        MoneyProblem::TooLarge(text("1e99")),
        MoneyProblem::TooFine(text("0.0000000000001")),
    ]);
    said.reported([
        CapsProblem::Json(text("expected value at line 1 column 1")),
        CapsProblem::Schema(text("maestro.ci-budget/v9")),
        CapsProblem::Amount {
            key: "per_pull_request",
            problem: MoneyProblem::Negative(text("-1")),
        },
        CapsProblem::Alert(0),
    ]);
    said.reported([
        ForeignProblem::Json(2, json()),
        ForeignProblem::Usage {
            line: 2,
            problem: UsageProblem::Missing,
        },
        ForeignProblem::Money {
            line: 2,
            problem: MoneyProblem::Negative(text("-1")),
        },
        ForeignProblem::Nothing,
    ]);
}

fn prices(said: &mut Said) {
    said.reported([
        ImportProblem::Json(json()),
        ImportProblem::Price {
            line: 4,
            place: text("m"),
            problem: MoneyProblem::Negative(text("-1")),
        },
        ImportProblem::Currency {
            line: 4,
            place: text("m"),
            currency: text("EUR"),
        },
        ImportProblem::Form {
            line: 4,
            place: text("m"),
            problem: text("it has no price"),
        },
        ImportProblem::Empty,
        ImportProblem::Result(text("model `m`: it has no price")),
    ]);
    said.reported([
        TableProblem::Json(json()),
        TableProblem::Schema(text("maestro.prices/v9")),
        TableProblem::Currency(text("EUR")),
        TableProblem::Model(text("m"), text("`input_mtok`: it is negative")),
        TableProblem::Empty,
        TableProblem::TooLong,
    ]);
    said.inside([RateProblem::Of(
        "input_mtok",
        Box::new(RateProblem::Money(MoneyProblem::Negative(text("-1")))),
    )]);
    said.reported([
        PriceProblem::UnknownProvider(text("acme")),
        PriceProblem::UnknownModel {
            provider: text("openai"),
            model: text("gpt-5-mni"),
            near: Some(text("gpt-5-mini")),
        },
        PriceProblem::NoRate("output", text("m")),
        PriceProblem::TooLarge,
    ]);
    said.reported([
        AnswerProblem::NoProvider,
        AnswerProblem::NoFlavor,
        AnswerProblem::NoModel,
    ]);
    for one in [
        UsageProblem::Missing,
        UsageProblem::NoField(text("input_tokens")),
        UsageProblem::NotANumber {
            field: text("input_tokens"),
            value: text("many"),
        },
        UsageProblem::MoreThanAll {
            part: text("cached_tokens"),
            whole: text("input_tokens"),
        },
        UsageProblem::TooLarge,
    ] {
        said.ends(one, |one| AnswerProblem::from(one).reported("FILE"));
    }
    said.reported([
        WorstProblem::NoLimit("max_tokens"),
        WorstProblem::NotANumber {
            field: "max_tokens",
            value: text("many"),
        },
        WorstProblem::Unbounded("image_url"),
        WorstProblem::UnlimitedTool(text("web_search")),
        WorstProblem::NoPrice("code_execution"),
        WorstProblem::TooLarge,
    ]);
}

fn models(said: &mut Said) {
    said.reported([
        EndpointProblem::Nowhere,
        EndpointProblem::NoAddress(text("models.example")),
        EndpointProblem::HasPassword,
        EndpointProblem::Plain(text("http://models.example")),
    ]);
    let full = PurseProblem::Refused(Refusal::TooLarge);
    said.reported([
        NoAnswer::Money(OfPurse::Purse(full)),
        NoAnswer::Refused {
            status: 404,
            words: text("no such model"),
        },
        NoAnswer::Failed {
            words: text("the provider answered 503"),
            attempts: 3,
        },
        NoAnswer::TooLate {
            words: text("the provider answered 429"),
            wait: Duration::from_secs(90),
        },
        NoAnswer::Unusable(text("the address cannot be asked")),
    ]);
    said.inside([
        WireProblem::Truncated("message_stop"),
        WireProblem::BadEvent {
            event: 3,
            words: text("expected value"),
        },
        WireProblem::NoJson(text("expected value")),
        WireProblem::Missing("content"),
        WireProblem::Said {
            kind: text("overloaded_error"),
            message: text("try later"),
        },
        WireProblem::TooLarge,
    ]);
    said.inside([
        CassetteProblem::Json(text("expected value")),
        CassetteProblem::Schema(text("maestro.exchange/v9")),
    ]);
}

fn router(said: &mut Said) {
    said.reported([
        DatasetProblem::OpenQuote(3),
        DatasetProblem::AfterQuote(3),
        DatasetProblem::Fields {
            line: 3,
            fields: 2,
            expected: 3,
        },
        DatasetProblem::NoColumn(text("prompt")),
        DatasetProblem::NoOutcomes,
        DatasetProblem::NoOutcome {
            line: 3,
            column: text("small"),
            value: text("perhaps"),
        },
        DatasetProblem::Empty,
        DatasetProblem::NoGap {
            weak: text("small"),
            strong: text("large"),
        },
    ]);
    said.reported([
        TiersProblem::NoScore("large"),
        TiersProblem::SmallFrom,
        TiersProblem::Order,
        TiersProblem::NoModel("small"),
    ]);
}
