//! The places where keys are pressed.

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The list.
    Browse,
    /// One entry, field by field.
    Entry,
    /// The line where a filter is typed.
    Filter,
    Help,
    /// Who gets which row.
    Choose,
    /// A line that is filled in.
    Form,
    /// A plan that is looked at.
    Preview,
    /// Where columns are chosen.
    Columns,
    /// The question before a write.
    Question,
    /// Something under way that may be left alone.
    Waiting,
    /// A run that is under way.
    Running,
    /// What came of a repair.
    Result,
    /// What was done, by whom.
    History,
    /// The line where something is looked for there.
    HistoryFilter,
    /// The question before leaving while a write is under way.
    Leaving,
    /// What there is at a glance, and why.
    Overview,
    /// The line where somebody is looked up.
    Ticket,
    /// What is about to be copied.
    Evidence,
    /// All commands, and the line in which one is searched for.
    Palette,
    Contexts,
    Messages,
    Log,
    /// The question before a file is written.
    Export,
    /// Its line for the folder.
    Folder,
}

impl Place {
    /// Everywhere.
    pub(crate) const ALL: &[Self] = &[
        Self::Browse,
        Self::Entry,
        Self::Filter,
        Self::Help,
        Self::Choose,
        Self::Form,
        Self::Preview,
        Self::Columns,
        Self::Question,
        Self::Waiting,
        Self::Running,
        Self::Result,
        Self::History,
        Self::HistoryFilter,
        Self::Leaving,
        Self::Palette,
        Self::Contexts,
        Self::Messages,
        Self::Log,
        Self::Export,
        Self::Folder,
        Self::Overview,
        Self::Ticket,
        Self::Evidence,
    ];

    /// What it is called in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Browse => "list",
            Self::Entry => "entry",
            Self::Filter => "filter",
            Self::Help => "help",
            Self::Choose => "choice",
            Self::Form => "form",
            Self::Preview => "preview",
            Self::Columns => "columns",
            Self::Question => "question",
            Self::Waiting => "waiting",
            Self::Running => "run",
            Self::Result => "result",
            Self::History => "history",
            Self::HistoryFilter => "history's filter",
            Self::Leaving => "leaving",
            Self::Overview => "overview",
            Self::Ticket => "ticket",
            Self::Evidence => "evidence",
            Self::Palette => "commands",
            Self::Contexts => "contexts",
            Self::Messages => "messages",
            Self::Log => "log",
            Self::Export => "export",
            Self::Folder => "folder",
        }
    }

    /// Whether letters are text here, whatever they are bound to.
    pub(crate) fn is_typing(self) -> bool {
        matches!(self, Self::Filter | Self::HistoryFilter | Self::Form | Self::Palette | Self::Folder | Self::Ticket)
    }
}
