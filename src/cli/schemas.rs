//! Published JSON Schemas: made from the types that are written and read, and handed out as they lie in `schemas/`.

use clap::ValueEnum;

#[cfg(test)]
use super::{
    audit, budget, check_policy, config, demo, doctor, dora, exec, explain, flakes, fleet, gate,
    gateway, init, notify, observe, plan, pr_health, prompts, provenance, run_agents, state,
};
#[cfg(test)]
use crate::config::ConfigFile;

macro_rules! schemas {
    ($($name:ident = $file:literal, $document:ty, $what:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub(crate) enum SchemaName {
            $(#[doc = $what] $name,)+
        }

        impl SchemaName {
            /// Returns a schema as it is published.
            pub(super) fn text(self) -> String {
                let name = match self {
                    $(Self::$name => concat!($file, ".json"),)+
                };
                crate::packed::text(include_bytes!(concat!(env!("OUT_DIR"), "/schemas")), name)
            }
        }

        /// Makes every schema anew, each with the name of its file.
        #[cfg(test)]
        fn drafts() -> Vec<(&'static str, SchemaName, String)> {
            vec![$(($file, SchemaName::$name, draft::<$document>())),+]
        }
    };
}

schemas! {
    Doctor = "doctor", doctor::DoctorDocument, "`doctor`";
    Init = "init", init::Document, "`init`";
    InitRemove = "init-remove", init::InitRemoveDocument, "`init --remove`";
    InitFiles = "init-files", crate::setup::record::Record, "`.maestro/init.json`";
    Audit = "audit", audit::AuditDocument, "`audit`";
    AgentRun = "agent-run", run_agents::RunDocument, "`run-agents`";
    RunPlan = "run-plan", run_agents::RunPlanDocument, "`run-agents --dry-run`";
    RunStory = "run-story", crate::agents::story::Story, "`run-agents show`";
    AgentAnswers = "agent-answers", run_agents::AnswersFile, "the file of `run-agents --recorded`";
    AgentBundle = "agent-bundle", crate::agents::bundle::Bundle, "`bundle.json`, which a run of agents leaves";
    AgentIntake = "agent-intake", run_agents::IntakeDocument, "`run-agents intake`";
    AgentPublish = "agent-publish", run_agents::PublishDocument, "`run-agents publish`";
    BudgetImport = "budget-import", budget::BudgetImportDocument, "`budget import`";
    BudgetPrices = "budget-prices", budget::PricesDocument, "`budget prices show`";
    BudgetPricesDiff = "budget-prices-diff", budget::PricesDiffDocument, "`budget prices diff`";
    BudgetPricesImport = "budget-prices-import", budget::PricesImportDocument, "`budget prices import`";
    BudgetForecast = "budget-forecast", budget::ForecastDocument, "`budget forecast`";
    BudgetLease = "budget-lease", budget::LeaseDocument, "`budget lease`";
    BudgetReserve = "budget-reserve", budget::ReserveDocument, "`budget reserve`";
    BudgetSet = "budget-set", budget::SetDocument, "`budget set`";
    BudgetSettle = "budget-settle", budget::SettleDocument, "`budget settle`";
    BudgetStatus = "budget-status", budget::StatusDocument, "`budget status`";
    CiBudget = "ci-budget", crate::budget::caps::CapsFile, "`.maestro/ci_budget.json`";
    Call = "call", budget::CallDocument, "`budget call`";
    CallPlan = "call-plan", budget::CallPlanDocument, "`budget call --dry-run`";
    Change = "change", crate::policy::change_record::ChangeRecord, "`.maestro/changes/NAME.yaml`";
    CheckPolicy = "check-policy", check_policy::CheckPolicyDocument, "`check-policy`";
    Config = "config", ConfigFile, "`.maestro/maestro.yaml`";
    ConfigShow = "config-show", config::ConfigDocument, "`config show`";
    Demo = "demo", demo::DemoDocument, "`demo`";
    Dora = "dora", dora::DoraDocument, "`dora`";
    DoraExplain = "dora-explain", dora::DoraExplainDocument, "`dora explain`";
    DoraKpi = "dora-kpi", dora::DoraKpiDocument, "`dora kpi`";
    DoraSpace = "dora-space", dora::DoraSpaceDocument, "`dora space`";
    Exec = "exec", exec::ExecDocument, "`exec`";
    Explain = "explain", explain::ExplainDocument, "`explain`";
    FlakesBackfill = "flakes-backfill", flakes::BackfillDocument, "`flakes backfill`";
    FlakesEscalate = "flakes-escalate", flakes::EscalateDocument, "`flakes escalate`";
    FlakesIngest = "flakes-ingest", flakes::IngestDocument, "`flakes ingest`";
    FlakesGate = "flakes-gate", flakes::FlakesGateDocument, "`flakes gate`";
    FlakesQuarantine = "flakes-quarantine", flakes::QuarantineDocument, "`flakes quarantine`";
    FlakesSkip = "flakes-skip", flakes::SkipDocument, "`flakes quarantine skip`";
    FlakesReport = "flakes-report", flakes::FlakesDocument, "`flakes report`";
    LearningPack = "learning-pack", crate::report::pack::Pack, "`learning-pack`";
    LearningPackRepos = "learning-pack-repos", crate::report::organisation::Organisation, "`learning-pack --repos`";
    Lease = "lease", crate::budget::lease::LeaseFile, "the file of `budget lease --out`";
    FleetDiff = "fleet-diff", fleet::FleetDiffDocument, "`fleet diff`";
    Gate = "gate", gate::GateDocument, "`gate`";
    Gateway = "gateway", gateway::GatewayDocument, "`gateway`";
    Notification = "notification", crate::notify::webhook::NotificationDocument, "what `notify` sends to `webhook`";
    Notify = "notify", notify::NotifyDocument, "`notify`";
    Plan = "plan", plan::PlanDocument, "`plan`";
    PlanExplain = "plan-explain", plan::PlanExplainDocument, "`plan explain`";
    PlanLint = "plan-lint", plan::PlanLintDocument, "`plan lint`";
    PlanReplay = "plan-replay", plan::PlanReplayDocument, "`plan replay`";
    PlanShard = "plan-shard", plan::PlanShardDocument, "`plan shard`";
    Policy = "policy", crate::policy::published::PolicyForm, "`.maestro/policy.yaml`";
    PolicyBaseline = "policy-baseline", crate::policy::baseline::BaselineFile, "the file of `check-policy --write-baseline`";
    PolicyInput = "policy-input", check_policy::PolicyInputDocument, "`check-policy --explain-input`";
    ObserveExport = "observe-export", observe::ObserveExportDocument, "`observe export`";
    ObserveFiles = "observe-files", observe::ObserveFilesDocument, "`observe dashboards`, `observe alerts`";
    PolicyTask = "policy-task", crate::policy::task::Task, "the file of `check-policy --task`";
    PrHealth = "pr-health", pr_health::PrHealthDocument, "`pr-health`";
    Price = "price", budget::PriceDocument, "`budget price`";
    PriceBatch = "price-batch", budget::BatchDocument, "`budget price --batch`";
    Route = "route", budget::RouteDocument, "`budget route`";
    RouteBacktest = "route-backtest", budget::BacktestDocument, "`budget route --backtest`";
    RouteBatch = "route-batch", budget::RouteBatchDocument, "`budget route --batch`";
    Prompt = "prompt", prompts::PromptDocument, "`prompts render`";
    PromptFile = "prompt-file", crate::prompts::file::PromptFile, "`prompts/NAME.yaml`";
    Prompts = "prompts", prompts::PromptsDocument, "`prompts list`";
    PromptsConvert = "prompts-convert", prompts::PromptsConvertDocument, "`prompts import`, `prompts export`";
    PromptsLint = "prompts-lint", prompts::PromptsLintDocument, "`prompts lint`";
    PromptsTest = "prompts-test", prompts::PromptsTestDocument, "`prompts test`";
    Provenance = "provenance", crate::provenance::index::Index, "the index of a run, in `index.statement.json`";
    ProvenanceGenerate = "provenance-generate", provenance::GenerateDocument, "`provenance generate`";
    ProvenanceKeygen = "provenance-keygen", provenance::KeygenDocument, "`provenance keygen`";
    ProvenanceShow = "provenance-show", provenance::ShowDocument, "`provenance show`";
    ProvenanceSign = "provenance-sign", provenance::SignDocument, "`provenance sign`";
    ProvenanceVerify = "provenance-verify", provenance::VerifyDocument, "`provenance verify`";
    Quarantine = "quarantine", crate::flakes::quarantine::Quarantine, "`.maestro/quarantine.json`";
    StateCompact = "state-compact", state::CompactDocument, "`state compact`";
    StateDoctor = "state-doctor", state::DoctorDocument, "`state doctor`";
    StateExport = "state-export", state::ExportDocument, "`state export`";
    StateFold = "state-fold", state::FoldDocument, "`state fold`";
    StateIngest = "state-ingest", state::StateIngestDocument, "`state ingest`";
    StatePack = "state-pack", state::PackDocument, "`state pack`";
    StatePull = "state-pull", state::PullDocument, "`state pull`";
    StatePush = "state-push", state::PushDocument, "`state push`";
    StateSync = "state-sync", state::SyncDocument, "`state sync`";
    StateVerify = "state-verify", state::VerifyDocument, "`state verify`";
}

#[cfg(test)]
fn draft<T: schemars::JsonSchema>() -> String {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<T>();
    let mut text = crate::json::pretty(&schema).unwrap();
    text.push('\n');
    text
}

#[cfg(test)]
#[path = "../../tests/published/schemas.rs"]
mod published;
