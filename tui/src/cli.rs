//! The command line.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;
use userlink_domain::Situation;
use userlink_ui::Theme;

use crate::settings::Overrides;

/// Ties the users of a Cognito user pool to the rows of your users table: sees both, says what is wrong, repairs it.
#[derive(Debug, Parser)]
#[command(name = "userlink", version, max_term_width = 100, subcommand_help_heading = "Commands")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Flags of all commands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", env = "USERLINK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Which context of the settings
    #[arg(long, global = true, value_name = "NAME", env = "USERLINK_CONTEXT")]
    context: Option<String>,
    /// The same where it was typed, and not found in the environment: whoever types it means it
    #[arg(skip)]
    pub(crate) typed_context: Option<String>,
    /// The user pool, as REGION_NAME
    #[arg(long, global = true, value_name = "ID", env = "USERLINK_POOL_ID")]
    pool_id: Option<String>,
    /// The AWS region, where the pool's id does not say it
    #[arg(long, global = true, env = "USERLINK_REGION")]
    region: Option<String>,
    /// A profile of AWS's configuration files
    #[arg(long, global = true, value_name = "NAME")]
    aws_profile: Option<String>,
    /// Another place than AWS's: an emulator
    #[arg(long, global = true, value_name = "URL", env = "USERLINK_ENDPOINT_URL")]
    endpoint_url: Option<String>,
    /// The database, without a password: that belongs into USERLINK_DATABASE_URL or the settings
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// The attribute that names the row [default: custom:userId]
    #[arg(long, global = true, env = "USERLINK_ATTRIBUTE")]
    attribute: Option<String>,
    /// The users table [default: users]
    #[arg(long, global = true, env = "USERLINK_TABLE")]
    table: Option<String>,
    /// Write nothing, whatever the settings allow
    #[arg(long, global = true)]
    pub(crate) read_only: bool,
    /// Requests a second to list the pool with
    #[arg(long, global = true, value_name = "N")]
    rate: Option<f64>,
    /// How the dashboard is coloured: terminal, high-contrast or monochrome
    #[arg(long, global = true, value_name = "NAME", value_parser = Theme::named)]
    pub(crate) theme: Option<Theme>,
    /// No colours
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Say more in the log; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write a log into this file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

impl Cli {
    /// What the command line says. It ends the program where that is wrong, or asks for help.
    pub(crate) fn of_arguments() -> Self {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let is_typed = matches.value_source("context") == Some(ValueSource::CommandLine);
        cli.common.typed_context = cli.common.context.clone().filter(|_| is_typed);
        cli
    }
}

impl Common {
    pub(crate) fn overrides(&self) -> Overrides {
        let of_environment = ["USERLINK_DATABASE_URL", "DATABASE_URL"];
        Overrides {
            context: self.context.clone(),
            pool_id: self.pool_id.clone(),
            region: self.region.clone(),
            aws_profile: self.aws_profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            database_url: self.database_url.clone(),
            database_url_of_environment: of_environment
                .into_iter()
                .find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()))
                .map(SecretString::from),
            attribute: self.attribute.clone(),
            table: self.table.clone(),
            read_only: self.read_only,
            rate: self.rate,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open the dashboard on an embedded pool and database that hold every situation
    Demo(DemoArgs),
    /// Read both sides, and print what is not linked
    Scan(ScanArgs),
    /// Ask what a context needs, check each answer, and write the settings
    Init,
    /// Remove what is kept on this machine of the context's scans
    Forget,
    /// Ask a real pool how it can be listed: reads only, some twenty requests, and shows numbers alone
    Probe,
    /// Freeze repairs into a file, and show what they would do: by default what is safe without a look at each
    Plan(PlanArgs),
    /// Apply exactly what a plan says
    Apply(ApplyArgs),
    /// Take back what a run did, or one step of it
    Undo(UndoArgs),
    /// Ignore an entry, with a reason, until what its verdict rests on changes; without a name, list what is
    Dismiss(DismissArgs),
    /// What was done, by whom, and how it ended
    History(HistoryArgs),
    /// One user or row as it is now: a provisional verdict, without a scan
    Show(ShowArgs),
    /// The journal's upkeep: grants, retention, erasure
    Journal(JournalArgs),
    /// Create what is Userlink's own in the database: the journal, and on request the users table
    Migrate(MigrateArgs),
    /// Print the dashboard's keys as the settings have them
    Keys(KeysArgs),
    /// Print the manual page
    Man,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many pool users
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) users: u64,
    /// The same seed makes the same world
    #[arg(long, default_value_t = 42, value_name = "S")]
    pub(crate) seed: u64,
    /// Open no dashboard: print one line of JSON, and serve until stopped
    #[arg(long)]
    pub(crate) serve: bool,
    /// Make the pool as strict as AWS's: its quotas
    #[arg(long)]
    pub(crate) quotas: bool,
    /// Milliseconds that the pool takes for each answer
    #[arg(long, value_name = "N")]
    pub(crate) latency_ms: Option<u64>,
    /// Make the pool give empty pages, refuse requests and drop connections
    #[arg(long)]
    pub(crate) faults: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write the result into this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print linked entries, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Compare with the last scan that was kept: print what is new, gone or different since
    #[arg(long)]
    pub(crate) since: bool,
    /// End with code 3 where there are entries of this situation; may be given more than once
    #[arg(long, value_name = "SITUATION", value_parser = situation, value_delimiter = ',')]
    pub(crate) fail_on: Vec<Situation>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Only entries of this situation; may be given more than once
    #[arg(long, value_name = "SITUATION", value_parser = situation, value_delimiter = ',')]
    pub(crate) situation: Vec<Situation>,
    /// The entries that a person looked at: a line each, or JSON with the pairs that were chosen
    #[arg(long, value_name = "FILE")]
    pub(crate) only: Option<PathBuf>,
    /// Keep this user from what is not theirs: clear the user id, and sign out everywhere
    #[arg(long, value_name = "USER", conflicts_with_all = ["only", "situation"])]
    pub(crate) contain: Option<String>,
    /// With --contain: disable the user, too
    #[arg(long, requires = "contain")]
    pub(crate) disable: bool,
    /// The plan's file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Why: written into the journal
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Sign out whoever had another user id
    #[arg(long)]
    pub(crate) sign_out: bool,
    /// Allow a plan for so many users and no more [default: as in the settings; else 50, or 0.1 % of the pool where that is more]
    #[arg(long, value_name = "N")]
    pub(crate) max_users: Option<u64>,
    /// One side is empty, and is meant to be
    #[arg(long)]
    pub(crate) allow_empty_side: bool,
}

/// How old a plan may be where nothing else is said.
pub(crate) const MAX_AGE_HOURS: i64 = 24;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The plan's file
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Refuse a plan that is older
    #[arg(long, value_name = "HOURS", default_value_t = MAX_AGE_HOURS)]
    pub(crate) max_age: i64,
}

#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Why: written into the journal. Production wants one
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// The run, or the plan that runs were of
    pub(crate) run: uuid::Uuid,
    /// Only this step of it
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<i64>,
    /// Sign out whoever had another user id until then
    #[arg(long)]
    pub(crate) sign_out: bool,
    /// Write the plan of the way back into this file, and do nothing else
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DismissArgs {
    /// A sub, a username or a row's id
    pub(crate) who: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "who")]
    pub(crate) reason: Option<String>,
    /// Take it up again
    #[arg(long, requires = "who", conflicts_with = "reason")]
    pub(crate) take_up: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Of this run, or plan
    #[arg(long, conflicts_with_all = ["user", "row"])]
    pub(crate) run: Option<uuid::Uuid>,
    /// Of this user, by sub or username
    #[arg(long, conflicts_with = "row")]
    pub(crate) user: Option<String>,
    /// Of the row with this id
    #[arg(long)]
    pub(crate) row: Option<String>,
    /// Steps at most, the newest first
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) limit: u32,
    /// JSON, a step a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A sub, a username, an e-mail or a row's id
    pub(crate) who: String,
}

#[derive(Debug, Args)]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    pub(crate) what: JournalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Print the grants that let a role add to the journal and read it, and nothing else
    Grants {
        /// The role
        role: String,
    },
    /// Remove the steps that ended before so many days ago
    Retain {
        #[arg(value_name = "DAYS")]
        days: u32,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Remove every step about one person
    Erase {
        /// The sub or the username
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Create the users table, too
    #[arg(long)]
    pub(crate) users_table: bool,
    /// Make the sub unique in your table, with an index that is made beside the traffic
    #[arg(long)]
    pub(crate) unique_sub: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[arg(long, value_enum, default_value_t = KeysFormat::Table)]
    pub(crate) format: KeysFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeysFormat {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    /// The counts on the first line, then an entry a line: never held as a whole
    Jsonl,
    Csv,
}

fn situation(name: &str) -> Result<Situation, String> {
    Situation::parse(name).ok_or_else(|| {
        match userlink_domain::nearest_name(name, Situation::ALL.map(Situation::name)) {
            Some(near) => format!("there is no such situation; did you mean {near}?"),
            None => "there is no such situation".to_owned(),
        }
    })
}
