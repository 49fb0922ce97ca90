//! `userlink`: the dashboard, and the same as commands.

mod actor;
mod cli;
mod clock;
mod commands;
mod dashboard;
mod demo;
mod engine;
mod init;
mod logging;
mod looking;
mod manual;
mod output;
mod probe;
mod repairs;
mod scan;
mod sessions;
mod settings;
mod snapshot;
mod spool;
mod start;

use std::io::{IsTerminal, stdin, stdout};
use std::process::ExitCode;

use userlink_ui::Theme;

use cli::{Cli, Command, Common};
use commands::{FAILED, WRONG, say};
use dashboard::Seat;
use settings::{Context, Overrides, SettingsError};
use start::{Failure, Start};

/// Many threads make what the linker holds, bit by bit: the system's allocator may leave a quarter of that in holes.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::of_arguments();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("No threads could be started: {}.", error.kind()));
            return ExitCode::from(FAILED);
        }
    };
    let code = runtime.block_on(run(cli)).unwrap_or_else(|error| {
        say(&format!("{error:#}"));
        let failure = error.downcast_ref::<Failure>().is_some_and(|failure| failure.settings);
        if failure || error.is::<SettingsError>() { WRONG } else { FAILED }
    });
    if let Some(complaint) = logging::complaint() {
        say(complaint);
    }
    // Reads under way are of no use any more; a write has been waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let dashboard = matches!(&cli.command, None | Some(Command::Demo(_)));
    logging::begin(cli.common.log_file.as_deref(), cli.common.verbose, !dashboard)?;
    match &cli.command {
        None => {
            let wanted = terminal(&cli.common)?;
            let context = match first_context(&cli.common).await? {
                Some(context) => context,
                None => context(&cli.common).await?,
            };
            let seat = seat(&cli.common, wanted, true)?;
            dashboard::run(seat, &context, Start::Context(Box::new(context.clone()))).await
        }
        Some(Command::Demo(args)) => {
            let demo = demo::Demo::prepare(args, cli.common.read_only)?;
            if args.serve {
                return demo.serve().await;
            }
            let seat = seat(&cli.common, terminal(&cli.common)?, false)?;
            dashboard::run(seat, &demo.context(), Start::Demo(demo)).await
        }
        Some(Command::Scan(args)) => commands::run_scan(context(&cli.common).await?, args).await,
        Some(Command::Init) => init::command(&cli.common).await,
        Some(Command::Forget) => {
            let settings = settings::load(cli.common.config.as_deref())?;
            commands::run_forget(&settings::name_of(&settings, &cli.common.overrides())?)
        }
        Some(Command::Probe) => probe::run(context(&cli.common).await?).await,
        Some(Command::Plan(args)) => repairs::plan::run(context(&cli.common).await?, args).await,
        Some(Command::Apply(args)) => {
            let named = cli.common.typed_context.clone();
            repairs::apply::run(context(&cli.common).await?, named, args).await
        }
        Some(Command::Undo(args)) => {
            let named = cli.common.typed_context.clone();
            repairs::apply::undo(context(&cli.common).await?, named, args).await
        }
        Some(Command::Dismiss(args)) => repairs::dismiss::run(context(&cli.common).await?, args).await,
        Some(Command::History(args)) => repairs::history::run(context(&cli.common).await?, args).await,
        Some(Command::Show(args)) => repairs::show::run(context(&cli.common).await?, args).await,
        Some(Command::Journal(args)) => repairs::journal::run(context(&cli.common).await?, args).await,
        Some(Command::Keys(args)) => {
            let keys = settings::load(cli.common.config.as_deref())?.keys();
            commands::print(|out| manual::keys(&keys, args.format, out))
        }
        Some(Command::Man) => commands::print(manual::man),
        Some(Command::Completions { shell }) => commands::print(|out| manual::completions(*shell, out)),
        Some(Command::Migrate(args)) => {
            let settings = settings::load(cli.common.config.as_deref())?;
            commands::run_migrate(settings::resolve_base(&settings, cli.common.overrides()).await?, args).await
        }
    }
}

/// Where nothing has been set up yet and somebody is there, it is set up now.
async fn first_context(common: &Common) -> anyhow::Result<Option<Context>> {
    let over = common.overrides();
    let nothing = settings::load(common.config.as_deref())?.contexts.is_empty() && over.pool_id.is_none();
    if !nothing || !stdin().is_terminal() || !stdout().is_terminal() {
        return Ok(None);
    }
    say("Nothing is set up yet. A few questions; each answer is tried at once. (To look around first: userlink demo.)");
    let name = init::run(common).await?;
    let settings = settings::load(common.config.as_deref())?;
    Ok(Some(settings::resolve(&settings, Overrides { context: Some(name), ..over }).await?))
}

async fn context(common: &Common) -> Result<Context, SettingsError> {
    let settings = settings::load(common.config.as_deref())?;
    let context = settings::resolve(&settings, common.overrides()).await?;
    Ok(context)
}

/// What the terminal and its variables say: whether it wants ASCII, and which theme. Refuses what is no terminal, or one that
/// can show nothing.
fn terminal(common: &Common) -> Result<(bool, Option<Theme>), SettingsError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(SettingsError::new(
            "The dashboard wants a terminal. For scripts there is: userlink scan --format json.",
        ));
    }
    if variable("TERM").as_deref() == Some("dumb") {
        return Err(SettingsError::new(
            "This terminal (TERM=dumb) cannot show the dashboard. There is: userlink scan.",
        ));
    }
    let plain = common.no_color || variable("NO_COLOR").is_some();
    let theme = common.theme.or_else(|| plain.then_some(Theme::Monochrome));
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    // A locale that says that it is not UTF-8; one that says nothing is taken for modern.
    let ascii = locale.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        !(name.contains("utf-8") || name.contains("utf8")) && name.contains('.') || name == "c" || name == "posix"
    });
    Ok((ascii, theme))
}

/// How the dashboard is wanted, by flags, variables and settings.
fn seat(common: &Common, (ascii, given): (bool, Option<Theme>), remembers: bool) -> Result<Seat, SettingsError> {
    let settings = settings::load(common.config.as_deref())?;
    Ok(Seat {
        theme: given.or(settings.theme()).unwrap_or_default(),
        theme_is_given: given.is_some(),
        ascii: settings.ascii().unwrap_or(ascii),
        over: common.overrides(),
        settings,
        remembers,
    })
}
