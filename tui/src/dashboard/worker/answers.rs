//! What the screen asks, answered: windows of the list, why, marks, what is exported, and what the scan begins with.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use userlink_domain::{RecordRef, RowId};
use userlink_link::{Entry, Lead};
use userlink_ui::{Event, Level, Marking, ViewSpec, Window};

use super::super::export::{Explained, Frozen};
use super::super::listing::Asked;
use super::{Look, Question, Wanted, Worker};
use crate::clock;
use crate::output::Head;

/// How many records of one entry a window holds at most; the screen never shows more of one.
const RECORDS_SHOWN: usize = 100;

impl Worker {
    pub(super) async fn answer(&mut self, question: Question) -> Result<(), mpsc::error::SendError<Event>> {
        match question {
            Question::Window(wanted) => self.show(wanted).await?,
            Question::Locate(of) => {
                let found = self.locate(&of);
                self.to.send(Event::Located { of, found }).await?;
            }
            Question::Explain(of) => {
                if let Some(explanation) = self.engine.linker.explain(&of) {
                    self.to.send(Event::Explained { of, explanation }).await?;
                }
            }
            Question::Mark(marking) => {
                self.marking.push_back(marking);
                self.mark().await?;
            }
            // What comes after a mark means it to be there; and what is half of one scan and half of another is not looked at.
            Question::With(look) if !self.marking.is_empty() || self.engine.is_turning() => self.after_marks.push(look),
            Question::With(look) => self.with(look).await?,
            Question::Learn(changes, answer) => {
                self.engine.learn(&changes);
                self.revision += 1;
                if self.engine.is_complete() {
                    self.glance.begin();
                }
                self.listing.expire();
                answer.send(()).unwrap_or(());
                self.tell().await?;
            }
            Question::Freeze(spec, answer) => self.freeze(spec, answer),
            Question::Entries { leads, epoch, answer } => {
                let entries = (epoch == self.epoch).then(|| self.entries(&leads));
                drop(answer.send(entries));
            }
            Question::Picture(picture) => {
                if self.engine.is_complete() {
                    return Ok(());
                }
                self.shown_at = Some(picture.at());
                self.from_disk = true;
                self.picture = Some(picture);
                self.revision += 1;
                self.tell().await?;
            }
            Question::Restored(engine) => {
                let Some(picture) = self.picture.take() else { return Ok(()) };
                self.revision += 1;
                self.listing.forget();
                match engine {
                    Some(engine) => {
                        self.engine = *engine;
                        self.epoch += 1;
                        self.shown_at = Some(picture.at());
                        self.glance.begin();
                    }
                    None => (self.shown_at, self.from_disk) = (None, false),
                }
                self.tell().await?;
            }
            Question::Scan { news, pool, rows_about, engine } => {
                while self.engine.is_turning() {
                    self.turn().await;
                }
                if self.picture.take().is_some() {
                    (self.from_disk, self.shown_at) = (false, None);
                }
                if self.engine.users + self.engine.rows > 0 && self.engine.can_scan_again(&engine) {
                    self.engine.scan_again(*engine);
                } else {
                    self.engine = *engine;
                    (self.from_disk, self.shown_at) = (false, None);
                    self.listing.forget();
                }
                if !self.engine.is_beside() {
                    self.glance.stop();
                    self.epoch += 1;
                    self.revision += 1;
                }
                (self.news, self.pool, self.rows_about) = (Some(news), pool, rows_about);
                (self.failed, self.paused, self.finished) = (false, false, false);
                self.began = (Instant::now(), 0);
                self.meter = (Instant::now(), 0);
                self.rate = 0.0;
                self.tell().await?;
            }
            Question::Failed(text) => {
                self.failed = true;
                self.finished = true;
                self.to.send(Event::Message { level: Level::Error, text }).await?;
                self.tell().await?;
            }
        }
        Ok(())
    }

    /// The record by the name under which it is known here: a row's id is a text to whoever only read it in an attribute.
    fn locate(&self, of: &RecordRef) -> Option<RecordRef> {
        let linker = &self.engine.linker;
        let of = match of {
            RecordRef::User(sub) => RecordRef::User(*sub),
            RecordRef::Row(id) => RecordRef::Row(RowId::parse(linker.rules().id_kind, &id.to_string())?),
        };
        linker.lead_of(&of).map(|_| of)
    }

    /// Makes the changes to the marks that were asked for, in their order; one that is about a view as soon as its list has been
    /// made.
    pub(super) async fn mark(&mut self) -> Result<(), mpsc::error::SendError<Event>> {
        while let Some(marking) = self.marking.front() {
            if let Some(spec) = view_of(marking) {
                let (linker, searched) = (&self.engine.linker, self.engine.searched.as_ref());
                if self.listing.ask(spec, self.revision, linker, searched, clock::now()) == Asked::Coming {
                    return Ok(());
                }
            }
            let leads = self.listing.list().map_or(&[][..], |list| &list.leads);
            self.marked.change(marking, &self.engine.linker, leads);
            self.marking.pop_front();
            self.to.send(Event::Marked(self.marked.count())).await?;
        }
        if self.engine.is_turning() {
            return Ok(());
        }
        for look in std::mem::take(&mut self.after_marks) {
            self.with(look).await?;
        }
        Ok(())
    }

    async fn with(&mut self, look: Look) -> Result<(), mpsc::error::SendError<Event>> {
        let (before, records) = (self.marked.count(), self.engine.put());
        look(&mut self.engine, &mut self.marked);
        if records != self.engine.put() {
            // What was tried lies elsewhere by now: a list that is being made does not know where.
            self.revision += 1;
        }
        if before != self.marked.count() {
            self.to.send(Event::Marked(self.marked.count())).await?;
        }
        Ok(())
    }

    /// Shows a part of a view, now or as soon as its list has been made.
    async fn show(&mut self, wanted: Wanted) -> Result<(), mpsc::error::SendError<Event>> {
        self.wanted = None;
        if let Some(picture) = &self.picture {
            // Nobody can be looked for and nothing sorted before all of it has been read, which takes a moment.
            let Wanted { generation, spec, first, len, .. } = wanted;
            let (total, entries) =
                if spec.filter.trim().is_empty() { picture.entries(spec.group, first, len) } else { (0, Vec::new()) };
            let (revision, marked) = (self.revision, vec![false; entries.len()]);
            let window = Window { generation, total, spec, first, entries, marked, anchor_at: None, revision };
            return self.to.send(Event::Window(window)).await;
        }
        if (self.is_marking() || self.freezing.is_some()) && !self.listing.is_coming(&wanted.spec) {
            self.wanted = Some(wanted);
            return Ok(());
        }
        let (linker, searched) = (&self.engine.linker, self.engine.searched.as_ref());
        match self.listing.ask(&wanted.spec, self.revision, linker, searched, clock::now()) {
            Asked::Coming => {
                self.wanted = Some(wanted);
                return Ok(());
            }
            // Told again once there is time for it.
            Asked::Old => self.untold = true,
            Asked::There => {}
        }
        self.shown = self.listing.number();
        let window = self.window(wanted);
        self.to.send(Event::Window(window)).await
    }

    fn window(&self, wanted: Wanted) -> Window {
        let Wanted { generation, spec, first, len, anchor } = wanted;
        let linker = &self.engine.linker;
        let leads = self.listing.list().map_or(&[][..], |list| &list.leads);
        let anchor = anchor.and_then(|of| linker.lead_of(&of));
        let anchor_at = anchor.and_then(|lead| leads.iter().position(|it| *it == lead));
        let first = match anchor_at {
            Some(at) if !(first..first + len).contains(&at) => at.saturating_sub(len / 2),
            _ => first.min(leads.len().saturating_sub(1)),
        };
        let shown = leads.iter().skip(first).take(len);
        // A lead whose entry has merged into another since the list was made is shown as that entry.
        let entries: Vec<Entry> = shown.filter_map(|lead| linker.entry_of(*lead, RECORDS_SHOWN)).collect();
        let marked = entries.iter().map(|entry| self.marked.has(entry)).collect();
        Window { generation, total: leads.len(), spec, first, entries, marked, anchor_at, revision: self.revision }
    }

    /// Answers what is to be exported, now or as soon as its list has been made.
    fn freeze(&mut self, spec: ViewSpec, answer: oneshot::Sender<Frozen>) {
        let (linker, searched) = (&self.engine.linker, self.engine.searched.as_ref());
        if self.picture.is_some()
            || self.is_marking()
            || self.listing.ask(&spec, self.revision, linker, searched, clock::now()) == Asked::Coming
        {
            self.freezing = Some((spec, answer));
            return;
        }
        let leads = self.listing.list().map(|list| list.leads.clone()).unwrap_or_default();
        let engine = &self.engine;
        let pool = self.pool.as_ref().map(|pool| pool.pool_id().to_owned()).unwrap_or_default();
        let scanned_at = self.shown_at.or(self.finished_at).unwrap_or_else(clock::now);
        let head = Head::of(&engine.linker, &pool, scanned_at, engine.is_complete() && self.shown_at.is_some());
        // Who does not wait any more needs no answer.
        drop(answer.send(Frozen { leads, epoch: self.epoch, head }));
    }

    /// The entries at these places. One that has merged into another since is there once.
    fn entries(&self, leads: &[Lead]) -> Vec<Explained> {
        let linker = &self.engine.linker;
        let explained = |lead: &Lead| {
            let entry = linker.entry_of(*lead, usize::MAX)?;
            let of = entry.lead()?;
            let is_first = linker.lead_of(&of) == Some(*lead);
            if is_first { Some((entry, linker.explain(&of)?)) } else { None }
        };
        leads.iter().filter_map(explained).collect()
    }

    /// Whether a change to the marks waits for its list.
    fn is_marking(&self) -> bool {
        self.marking.front().and_then(view_of).is_some()
    }

    /// Goes on with the list that is being made, and shows it when it is there. One is made at a time, and whoever waits for
    /// another has its turn after it: else each would take it from the other.
    pub(super) async fn go_on(&mut self) -> Result<(), mpsc::error::SendError<Event>> {
        self.listing.step(&self.engine.linker);
        let waits = self.marking.front().and_then(view_of).is_some_and(|spec| self.listing.is_coming(spec));
        if !self.marking.is_empty() && !waits {
            self.mark().await?;
        }
        if self.is_marking() {
            return Ok(());
        }
        if let Some((spec, answer)) = self.freezing.take_if(|(spec, _)| !self.listing.is_coming(spec)) {
            self.freeze(spec, answer);
        }
        if self.freezing.is_some() {
            return Ok(());
        }
        if let Some(wanted) = self.wanted.take_if(|wanted| !self.listing.is_coming(&wanted.spec)) {
            return self.show(wanted).await;
        }
        if std::mem::replace(&mut self.shown, self.listing.number()) != self.shown {
            return self.to.send(Event::Changed).await;
        }
        Ok(())
    }
}

/// The view that a change to the marks is about.
fn view_of(marking: &Marking) -> Option<&ViewSpec> {
    match marking {
        Marking::Range { spec, .. } | Marking::All(spec) | Marking::Invert(spec) => Some(spec),
        Marking::Toggle(_) | Marking::None => None,
    }
}
