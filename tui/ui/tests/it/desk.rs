//! A desk: the dashboard, and beside it somebody who answers its effects from a list of entries.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};
use unicode_segmentation::UnicodeSegmentation as _;
use userlink_domain::{Flag, RecordRef, RowId, Situation, Timestamp};
use userlink_find::{Column, Query, Scratch};
use userlink_link::Entry;
use userlink_ui::{
    Answer, Counts, Effect, Event, Marking, Model, Names, Phase, Pointer, Press, Progress, Regions, Request, Setup,
    Theme, ViewSpec, Window, update, view,
};

use crate::people::{self, NOW, before};
use crate::plans;

pub(crate) struct Desk {
    pub(crate) model: Model,
    pub(crate) entries: Vec<Entry>,
    pub(crate) size: (u16, u16),
    pub(crate) now: Timestamp,
    /// Everything asked so far that was not answered at once: all but windows and explanations.
    pub(crate) asked: Vec<Effect>,
    pub(crate) revision: u64,
    /// What is marked, as a runtime would keep it.
    pub(crate) marked: Vec<RecordRef>,
}

pub(crate) fn setup() -> Setup {
    Setup {
        context: "prod-eu".to_owned(),
        pool: "eu-west-1_AbC123xyz".to_owned(),
        table: "app.users".to_owned(),
        production: true,
        read_only: false,
        tint: None,
        theme: Theme::Terminal,
        ascii: false,
        masked: false,
        mouse: true,
    }
}

impl Desk {
    /// A dashboard that was just opened.
    pub(crate) fn opened(setup: Setup, size: (u16, u16)) -> Self {
        let names = Names { sub: "cognito_sub".to_owned(), show: vec!["name".to_owned()], ..Names::default() };
        let model = Model::new(setup, size).with_names(names);
        let mut desk =
            Self { model, entries: Vec::new(), size, now: NOW, asked: Vec::new(), revision: 1, marked: Vec::new() };
        desk.send(Event::Tick);
        desk
    }

    /// A dashboard that was just opened, on the overview.
    pub(crate) fn overview(setup: Setup, size: (u16, u16)) -> Self {
        let mut desk = Self::opened(setup, size);
        desk.keys("O");
        desk
    }

    /// A dashboard that has read all of these.
    pub(crate) fn with(setup: Setup, size: (u16, u16), entries: Vec<Entry>) -> Self {
        let mut desk = Self::opened(setup, size);
        desk.entries = entries;
        desk.send(Event::Progress(complete()));
        desk.count();
        desk
    }

    pub(crate) fn town(size: (u16, u16)) -> Self {
        Self::with(setup(), size, people::town())
    }

    /// Tells the dashboard how many there are of each.
    pub(crate) fn count(&mut self) {
        self.revision += 1;
        let count =
            |situation: Situation| self.entries.iter().filter(|entry| entry.situation == situation).count() as u64;
        let situations = Situation::ALL.map(|situation| (situation, count(situation))).to_vec();
        let flagged = |flag: Flag| self.entries.iter().filter(|entry| entry.flags.contains(flag)).count() as u64;
        let flags = Flag::ALL.map(|flag| (flag, flagged(flag))).to_vec();
        self.send(Event::Counts(Counts { situations, flags }));
    }

    /// Sends an event, and answers what can be answered at once.
    pub(crate) fn send(&mut self, event: Event) {
        let mut waiting = update(&mut self.model, event, self.now);
        let mut rounds = 0;
        while !waiting.is_empty() {
            rounds += 1;
            assert!(rounds < 20, "the dashboard asks without end");
            for effect in std::mem::take(&mut waiting) {
                match self.answer(effect) {
                    Ok(event) => waiting.extend(update(&mut self.model, event, self.now)),
                    Err(effect) => self.asked.push(*effect),
                }
            }
        }
    }

    /// Answers what was asked for outside of [`Desk::send`].
    pub(crate) fn answered(&mut self, effect: Effect) {
        if let Ok(event) = self.answer(effect) {
            self.send(event);
        }
    }

    fn answer(&mut self, effect: Effect) -> Result<Event, Box<Effect>> {
        match effect {
            Effect::Window { generation, spec, first, len, anchor } => {
                Ok(Event::Window(self.window(generation, spec, first, len, anchor)))
            }
            Effect::Explain(of) => {
                let entry = self.entries.iter().find(|entry| holds(entry, &of));
                let explanation = entry.map(people::explanation).unwrap_or_default();
                Ok(Event::Explained { of, explanation })
            }
            Effect::Entry(of) => {
                let entry = self.entries.iter().find(|entry| holds(entry, &of)).cloned().map(Box::new);
                Ok(Event::Entry { of, entry })
            }
            // What stands beside an entry is told by the stories that are about it.
            Effect::LookBeside { .. } => Ok(Event::Tick),
            Effect::Mark(marking) => {
                self.mark(&marking);
                Ok(Event::Marked(self.marked.len() as u64))
            }
            Effect::PlanLines { plan, first, len } => {
                let lines = (first..).take(len).map(plans::line).collect();
                Ok(Event::PlanLines { plan, first, lines })
            }
            Effect::Locate(of) => {
                // As the linker does: an id is known by its text.
                let of_text = |id: &RowId| RowId::parse(userlink_domain::IdKind::Uuid, &id.to_string());
                let known = match &of {
                    RecordRef::User(sub) => Some(RecordRef::User(*sub)),
                    RecordRef::Row(id) => of_text(id).map(RecordRef::Row),
                };
                let found = known.filter(|known| self.entries.iter().any(|entry| holds(entry, known)));
                Ok(Event::Located { of, found })
            }
            other => Err(Box::new(other)),
        }
    }

    fn mark(&mut self, marking: &Marking) {
        let lead = |entry: &Entry| entry.lead().unwrap();
        let of = |of: &RecordRef| lead(self.entries.iter().find(|entry| holds(entry, of)).unwrap());
        let seen = |spec: &ViewSpec| self.seen(spec).into_iter().map(lead).collect::<Vec<_>>();
        let (marked, toggled) = match marking {
            Marking::None => (Vec::new(), Vec::new()),
            Marking::Toggle(record) => (self.marked.clone(), vec![of(record)]),
            Marking::Range { from, to, spec } => {
                let seen = seen(spec);
                let place = |record| seen.iter().position(|lead| *lead == of(record));
                // Where a range began may have left the view since.
                let (Some(from), Some(to)) = (place(from), place(to)) else { return };
                let range = &seen[from.min(to)..=from.max(to)];
                (self.marked.iter().filter(|lead| !range.contains(lead)).cloned().collect(), range.to_vec())
            }
            Marking::All(spec) => {
                let seen = seen(spec);
                (self.marked.iter().filter(|lead| !seen.contains(lead)).cloned().collect(), seen)
            }
            Marking::Invert(spec) => (self.marked.clone(), seen(spec)),
        };
        let kept = marked.iter().filter(|lead| !toggled.contains(lead));
        let new = toggled.iter().filter(|lead| !marked.contains(lead));
        self.marked = kept.chain(new).cloned().collect();
    }

    fn seen(&self, spec: &ViewSpec) -> Vec<&Entry> {
        let query = Query::parse(&spec.filter, self.now).expect("only what was understood is asked for");
        let mut scratch = Scratch::default();
        let of_group = self.entries.iter().filter(|entry| spec.group.is_none_or(|it| it == entry.situation.group()));
        let rated = of_group.filter_map(|entry| Some((query.rate(entry, &mut scratch)?, entry)));
        let mut rated: Vec<_> = rated.collect();
        match spec.order.by {
            Some(by) => rated.sort_by_cached_key(|(_, entry)| sorted_by(entry, by)),
            None if query.is_ranked() => rated.sort_by_key(|(rating, _)| std::cmp::Reverse(*rating)),
            None => {}
        }
        if spec.order.reverse {
            rated.reverse();
        }
        rated.into_iter().map(|(_, entry)| entry).collect()
    }

    fn window(&self, generation: u64, spec: ViewSpec, first: usize, len: usize, anchor: Option<RecordRef>) -> Window {
        let seen = self.seen(&spec);
        let anchor_at = anchor.and_then(|anchor| seen.iter().position(|entry| holds(entry, &anchor)));
        let entries: Vec<Entry> = seen.iter().skip(first).take(len).map(|entry| (*entry).clone()).collect();
        let marked = entries.iter().map(|entry| self.marked.iter().any(|of| holds(entry, of))).collect();
        let total = seen.len();
        Window { generation, total, spec, first, entries, marked, anchor_at, revision: self.revision }
    }

    /// Presses keys: `jj<Enter>`, `/ada<Esc>`, `<C-c>`.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys_of(keys) {
            self.send(Event::Key(key));
        }
        self
    }

    /// The newest request for a plan.
    pub(crate) fn request(&self) -> Option<Request> {
        self.asked.iter().rev().find_map(|effect| match effect {
            Effect::Plan(request) => Some(request.clone()),
            _ => None,
        })
    }

    /// Answers it.
    pub(crate) fn planned(&mut self, answer: Answer) {
        let number = self.request().map_or(0, |request| request.number);
        self.send(Event::Planned { number, answer });
    }

    /// Answers it with the plan for one entry.
    pub(crate) fn prepared(&mut self, number: usize) {
        let draft = plans::one(&self.entries[number]);
        self.planned(Answer::Draft(Box::new(draft)));
    }

    /// Why what `r` wanted cannot be.
    pub(crate) fn refused(&mut self, why: &str) {
        self.planned(Answer::Refused(why.to_owned()));
    }

    pub(crate) fn outcome(&mut self, done: bool) {
        self.send(Event::Applied(Ok(plans::outcome(done))));
    }

    /// Uses the mouse on the first place where the screen says this.
    pub(crate) fn press(&mut self, press: Press, text: &str) {
        let screen = self.text();
        let (line, column) =
            screen.lines().enumerate().find_map(|(y, line)| Some((y, line.split_once(text)?.0))).expect(text);
        let x = column.graphemes(true).map(|sign| usize::from(sign.cell_width())).sum::<usize>();
        self.press_at(press, (x as u16, line as u16));
    }

    /// Uses the mouse at a column and a line.
    pub(crate) fn press_at(&mut self, press: Press, (column, line): (u16, u16)) {
        let (_, regions) = self.draw();
        self.send(Event::Mouse(Pointer { press, target: regions.hit(column, line) }));
    }

    pub(crate) fn click(&mut self, text: &str) {
        self.press(Press::Click, text);
    }

    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.send(Event::Resize(size.0, size.1));
    }

    pub(crate) fn draw(&self) -> (Buffer, Regions) {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        let mut regions = Regions::default();
        terminal.draw(|frame| regions = view(&self.model, frame)).unwrap();
        (terminal.backend().buffer().clone(), regions)
    }

    /// The screen as text, and below it how it is styled.
    pub(crate) fn screen(&self) -> String {
        let (buffer, _) = self.draw();
        format!("{}\n{}", text(&buffer), styles(&buffer))
    }

    pub(crate) fn text(&self) -> String {
        text(&self.draw().0)
    }
}

/// What stands in the column.
fn sorted_by(entry: &Entry, by: Column) -> String {
    let (user, row) = (entry.users.first(), entry.rows.first());
    match by {
        Column::Situation => format!("{} {:02}", entry.situation.group() as u8, entry.situation as u8),
        Column::User => user.map(|user| user.email.clone().unwrap_or_default().to_lowercase()).unwrap_or_default(),
        Column::Status => user.map(|user| user.status.as_str().to_lowercase()).unwrap_or_default(),
        Column::Row => row.map(|row| row.id.to_string()).unwrap_or_default(),
        Column::Email => row.and_then(|row| row.email.clone()).unwrap_or_default().to_lowercase(),
        Column::Created => user.and_then(|user| user.created).map(|at| at.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn holds(entry: &Entry, of: &RecordRef) -> bool {
    match of {
        RecordRef::User(sub) => entry.users.iter().any(|user| user.sub == *sub),
        RecordRef::Row(id) => entry.rows.iter().any(|row| row.id == *id),
    }
}

pub(crate) fn complete() -> Progress {
    Progress {
        phase: Phase::Complete,
        users: 998_240,
        users_about: Some(998_000),
        rows: 994_611,
        rows_about: Some(990_000),
        users_done: true,
        rows_done: true,
        finished_at: Some(before(3)),
        ..Progress::default()
    }
}

pub(crate) fn reading() -> Progress {
    Progress {
        phase: Phase::Reading,
        users: 340_112,
        users_about: Some(998_000),
        rows: 351_090,
        rows_about: Some(994_000),
        requests_per_second: 14.8,
        seconds_left: Some(350),
        ..Progress::default()
    }
}

/// The keys that are written so: `jj<Enter>`.
pub(crate) fn keys_of(keys: &str) -> Vec<KeyEvent> {
    let mut found = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (name, behind) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((name, behind)) => (name, behind),
            None => rest.split_at(c.len_utf8()),
        };
        rest = behind;
        found.push(key(name));
    }
    found
}

fn key(name: &str) -> KeyEvent {
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "F2" => KeyCode::F(2),
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Backspace" => KeyCode::Backspace,
        _ => match name.strip_prefix("C-") {
            Some(letter) => {
                return KeyEvent::new(KeyCode::Char(letter.chars().next().unwrap()), KeyModifiers::CONTROL);
            }
            None => KeyCode::Char(name.chars().next().unwrap()),
        },
    };
    KeyEvent::from(code)
}

/// The screen line by line, without the blanks at the end.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += symbol.cell_width().max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// For each line the runs that are not plain: `4  0-9 dim, 12-20 red bold`.
fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let name = style_name(cell.fg, cell.bg, cell.modifier);
            if name.is_empty() || (cell.symbol() == " " && !cell.modifier.contains(Modifier::REVERSED)) {
                continue;
            }
            match runs.last_mut() {
                Some((_, end, last)) if *last == name && x - *end <= 2 => *end = x,
                _ => runs.push((x, x, name)),
            }
        }
        if !runs.is_empty() {
            let runs: Vec<_> = runs.into_iter().map(|(from, to, name)| format!("{from}-{to} {name}")).collect();
            out.push_str(&format!("{y:>2}  {}\n", runs.join(", ")));
        }
    }
    out
}

fn style_name(fg: Color, bg: Color, modifier: Modifier) -> String {
    let mut words = Vec::new();
    if fg != Color::Reset {
        words.push(format!("{fg:?}").to_lowercase());
    }
    if bg != Color::Reset {
        words.push(format!("on {bg:?}").to_lowercase());
    }
    words.extend(modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    words.join(" ")
}
