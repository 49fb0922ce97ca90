//! Who sits at the dashboard and how they want it: what stays the same when another context is turned to.

use userlink_ui::{ContextChoice, Keys, Names, Setup, Theme};

use crate::settings::{self, Context, Overrides, Settings, SettingsError};

pub(crate) struct Seat {
    pub(crate) settings: Settings,
    /// Flags and variables, as they were given for the first context.
    pub(crate) over: Overrides,
    pub(crate) theme: Theme,
    /// Whether flags or variables say which theme: that goes before the one that was kept.
    pub(crate) theme_is_given: bool,
    pub(crate) ascii: bool,
    /// Whether it is remembered how the dashboard was left.
    pub(crate) remembers: bool,
}

impl Seat {
    /// Whether the mouse is heard, or left to the terminal.
    pub(super) fn mouse(&self) -> bool {
        self.settings.mouse.unwrap_or(true)
    }

    pub(crate) fn keys(&self) -> Keys {
        self.settings.keys()
    }

    pub(crate) fn choices(&self) -> Vec<ContextChoice> {
        if !self.remembers {
            return Vec::new(); // The demo is its own world, and the only one in it.
        }
        let choice = |(name, context): (&String, &settings::ContextSettings)| ContextChoice {
            name: name.clone(),
            pool: context.pool_id.clone().unwrap_or_default(),
            table: context.table.name.clone().unwrap_or_else(|| "users".to_owned()),
            production: context.production,
            read_only: context.read_only || self.over.read_only,
            tint: context.tint(),
        };
        self.settings.contexts.iter().map(choice).collect()
    }

    /// What the dashboard says of where it is.
    pub(crate) fn setup(&self, context: &Context) -> Setup {
        Setup {
            context: context.name.clone(),
            pool: context.pool.pool_id.clone(),
            table: context.mapping.table.clone(),
            production: context.production,
            read_only: context.read_only,
            tint: self.settings.contexts.get(&context.name).and_then(settings::ContextSettings::tint),
            theme: self.theme,
            ascii: self.ascii,
            mouse: self.mouse(),
        }
    }

    /// Another context of the settings. What flags say of a pool or a database was said of the first one alone.
    pub(super) async fn turn(settings: Settings, over: Overrides, name: String) -> Result<Context, SettingsError> {
        settings::resolve(&settings, over.for_another(&settings, name)).await
    }
}

/// What attribute and columns are called in this pool and table.
pub(crate) fn names(context: &Context) -> Names {
    let mapping = &context.mapping;
    Names {
        user_id: context.pool.attribute.clone(),
        id: mapping.id.clone(),
        sub: mapping.sub.clone(),
        show: mapping.show.clone(),
    }
}
