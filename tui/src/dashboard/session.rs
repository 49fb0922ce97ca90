//! The dashboard of one context after the other: the model, and who carries out what it wants. Another context is opened
//! beside the one that is shown, and takes its place when its settings and secrets are there.

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use userlink_ui::{Effect, Event, Level, Model};

use super::effects::Effects;
use super::kept;
use super::seat::{Seat, names};
use crate::settings::Context;
use crate::start::Start;

/// How much news may wait for the screen.
const NEWS: usize = 64;

pub(super) struct Session {
    seat: Seat,
    pub(super) model: Model,
    effects: Effects,
    events: mpsc::Receiver<Event>,
    /// The context that is being opened.
    turning: Option<mpsc::Receiver<Result<Box<Context>, String>>>,
    /// Contexts that were left while something was written there.
    leaving: JoinSet<()>,
}

/// What came of it.
enum News {
    Event(Option<Event>),
    Turned(Option<Result<Box<Context>, String>>),
}

impl Session {
    pub(super) fn begin(seat: Seat, context: &Context, start: Start, size: (u16, u16)) -> Self {
        let (to_model, events) = mpsc::channel(NEWS);
        let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
        let model = Model::new(seat.setup(context), size)
            .with_names(names(context))
            .with_keys(seat.keys())
            .with_overview()
            .with_contexts(seat.choices())
            .with_folder(folder);
        let effects = Effects::begin(start, to_model);
        let mut this = Self { seat, model, effects, events, turning: None, leaving: JoinSet::new() };
        this.as_it_was_left();
        this
    }

    /// Puts the screen as it was left the last time.
    fn as_it_was_left(&mut self) {
        if !self.seat.remembers {
            return;
        }
        let (kept, complaint) = kept::load(self.model.context());
        self.model.restore(kept, self.seat.theme_is_given);
        if let Some(text) = complaint {
            self.tell(Event::Message { level: Level::Info, text });
        }
    }

    fn keep_as_it_is(&self) {
        if self.seat.remembers {
            kept::save(self.model.context(), &self.model.kept());
        }
    }

    fn tell(&mut self, event: Event) {
        // Nothing is asked for by what is only told.
        for effect in userlink_ui::update(&mut self.model, event, crate::clock::now()) {
            self.effects.carry_out(effect);
        }
    }

    /// The next that has happened; none where nothing can any more.
    pub(super) async fn news(&mut self) -> Option<Event> {
        let news = tokio::select! {
            event = self.events.recv() => News::Event(event),
            turned = turned(&mut self.turning) => News::Turned(turned),
        };
        match news {
            News::Event(event) => event,
            News::Turned(Some(Ok(context))) => {
                self.turn_to(*context);
                Some(Event::Tick)
            }
            News::Turned(Some(Err(text))) => {
                self.turning = None;
                Some(Event::NotTurned(text))
            }
            News::Turned(None) => {
                self.turning = None;
                Some(Event::NotTurned("The context was not opened.".to_owned()))
            }
        }
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        let Effect::Turn(name) = effect else { return self.effects.carry_out(effect) };
        let (settings, over) = (self.seat.settings.clone(), self.seat.over.clone());
        let (to, turning) = mpsc::channel(1);
        tokio::spawn(async move {
            let turned = Seat::turn(settings, over, name.clone()).await;
            let turned = turned.map(Box::new).map_err(|error| format!("{name}: {error}"));
            // Whoever has left waits for nothing.
            drop(to.send(turned).await);
        });
        self.turning = Some(turning);
    }

    fn turn_to(&mut self, context: Context) {
        self.turning = None;
        self.keep_as_it_is();
        let next = self.model.turned(self.seat.setup(&context), names(&context));
        let left = std::mem::replace(&mut self.model, next);
        let (to_model, events) = mpsc::channel(NEWS);
        let effects = Effects::begin(Start::Context(Box::new(context)), to_model.clone());
        let effects = std::mem::replace(&mut self.effects, effects);
        let events = std::mem::replace(&mut self.events, events);
        self.leaving.spawn(leave(left.context().to_owned(), effects, events, to_model));
        self.as_it_was_left();
    }

    /// Brings writes under way to their end, wherever they are made.
    pub(super) async fn finish(mut self) {
        self.keep_as_it_is();
        self.events.close();
        if self.model.is_writing() || !self.leaving.is_empty() {
            let writing = self.model.is_writing();
            if writing {
                crate::commands::say(
                    "A repair is being written: this ends when the steps under way are read back and journalled.",
                );
            }
        }
        self.effects.finish().await;
        while self.leaving.join_next().await.is_some() {}
    }
}

async fn turned(
    turning: &mut Option<mpsc::Receiver<Result<Box<Context>, String>>>,
) -> Option<Result<Box<Context>, String>> {
    match turning {
        Some(turning) => turning.recv().await,
        None => std::future::pending().await,
    }
}

/// Ends what goes on for a context that is no longer shown. Only what came of a write is still told.
async fn leave(context: String, mut effects: Effects, mut events: mpsc::Receiver<Event>, to: mpsc::Sender<Event>) {
    let tell = |event: Event| {
        let text = match event {
            Event::Applied(Ok(outcome)) if outcome.complete => {
                (Level::Info, "The repair is over: all of it was done.".to_owned())
            }
            Event::Applied(Ok(outcome)) => (
                Level::Error,
                format!("The repair ended before all of it was done: the history has run {}.", outcome.run),
            ),
            Event::Applied(Err(text)) => (Level::Error, text),
            _ => return None,
        };
        Some(Event::Message { level: text.0, text: format!("{context}: {}", text.1) })
    };
    let mut told = Vec::new();
    {
        let mut finish = std::pin::pin!(effects.finish());
        loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => told.extend(tell(event)),
                () = &mut finish => break,
            }
        }
    }
    drop(effects);
    while let Ok(event) = events.try_recv() {
        told.extend(tell(event));
    }
    for event in told {
        // Without a dashboard there is nobody to tell.
        drop(to.send(event).await);
    }
}
