//! A notice: what it says is remembered, and everybody who is owed a word of it gets it.

use super::ledger::{Change, Ledger};
use super::receiver::Heard;
use super::turn::Turn;
use super::{Office, Outcome};
use crate::card;
use crate::decide::{Fact, Me, Next, Plan, Problem};
use crate::delivery::Contact;
use crate::inbound::Notice;
use crate::store::{Key, Store, StoreError};
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use std::collections::BTreeMap;

impl<'a, S: Store> Office<'a, S> {
    /// Takes a notice to everybody who is owed it.
    pub(crate) async fn hear(&self, notice: &Notice) -> Outcome {
        let mut card = card::of(notice);
        let mut fact = Fact::of(notice, &card, self.clock.now());
        if let Some(watched) = self.watched {
            watched.place(&mut fact.labels);
        }
        if notice.may_be_news() && !self.ends_something(&fact).await {
            fact = fact.as_news();
            card = card.as_news();
        }
        let key = Key::problem(&fact);
        let mut plans = self.plans(&fact);
        self.spare(&key, &fact, &mut plans).await;
        let heard = Heard {
            fact: &fact,
            card: Some(&card),
            raw: notice.raw(),
            plans,
        };
        let Some(store) = &self.store else {
            return self.plainly(&heard).await;
        };
        let hint = self.hint(&key, &fact);
        let told = self.tell(Ledger::unread(store, key.clone()), &heard);
        let ((), told) = join(hint, told).await;
        match told {
            Ok(outcome) => outcome,
            // An end is not urgent. Told without the table, it would leave the problem open in it.
            Err(error) if fact.status == Status::Resolved => {
                Outcome::unended(fact.summary.title.clone(), &error)
            }
            Err(_) => self.plainly(&heard).await,
        }
    }

    /// Whether an end is one of a problem that is known to be there, or was told to be its end before.
    async fn ends_something(&self, fact: &Fact) -> bool {
        let Some(store) = &self.store else {
            return false;
        };
        let item = store.get(&Key::problem(fact), self.clock.now()).await;
        let known = item.ok().flatten();
        let problem = known.and_then(|item| serde_json::from_str::<Problem>(&item.body).ok());
        problem.is_some_and(|problem| problem.open || problem.has_heard(fact))
    }

    /// Who is told of a firing notice, and how.
    fn plans(&self, fact: &Fact) -> BTreeMap<&'a str, Plan> {
        if fact.status == Status::Resolved {
            return BTreeMap::new();
        }
        let routed = self.alerting.route(&fact.labels, self.clock.now());
        for silenced in routed.taken.iter().filter(|taken| taken.silenced.is_some()) {
            let (fingerprint, route) = (&fact.fingerprint, &silenced.route.place);
            tracing::info!(fingerprint, route, "muted by the time intervals of {route}");
        }
        let deliveries = routed.deliveries.into_iter();
        deliveries
            .map(|delivery| {
                let plan = Plan {
                    timing: delivery.timing,
                    repeat_interval: delivery.repeat_interval,
                };
                (delivery.receiver.name.as_str(), plan)
            })
            .collect()
    }

    /// Remembers what was heard, and tells everybody who is owed a word.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be remembered; nobody was told then.
    pub(super) async fn tell(
        &self,
        ledger: Ledger<'a, S>,
        heard: &Heard<'_>,
    ) -> Result<Outcome, StoreError>
    where
        S: 'a,
    {
        let me = self.me(&heard.fact.id);
        let now = self.clock.now();
        let (episode, owed) = ledger
            .change(now, |known| {
                let mut problem = Problem::after(known, heard.fact);
                let episode = problem.episode;
                let owed: Vec<(usize, Next)> = self
                    .contacts
                    .iter()
                    .enumerate()
                    .map(|(index, contact)| {
                        let next = self.next(&mut problem, contact, &me, episode, heard, now);
                        (index, next)
                    })
                    .collect();
                Change {
                    matters: owed.iter().any(|(_, next)| matches!(next, Next::Do(_)))
                        || !problem.open,
                    problem,
                    says: (episode, owed),
                }
            })
            .await?;
        let serving = owed.into_iter().filter_map(|(index, next)| {
            let contact = self.contacts.get(index)?;
            let turn = Turn {
                office: self,
                ledger: &ledger,
                contact,
                me: &me,
                episode,
                heard,
            };
            Some(async move { turn.serve(next).await })
        });
        let outcome = Outcome::of(join_all(serving).await);
        self.log(&ledger, heard, &outcome).await;
        Ok(outcome)
    }

    /// What is owed to a contact next.
    pub(super) fn next(
        &self,
        problem: &mut Problem,
        contact: &Contact,
        me: &Me,
        episode: u32,
        heard: &Heard<'_>,
        now: Timestamp,
    ) -> Next {
        let plan = heard.plans.get(contact.name()).copied();
        let pages = self.may_page(problem, contact, heard);
        if !contact.receiver.send_resolved && !problem.open && plan.is_none() {
            return Next::Nothing;
        }
        problem.next(contact.name(), me, episode, plan, pages, now)
    }

    /// Whether a problem is one that wakes a contact.
    pub(super) fn may_page(&self, problem: &Problem, contact: &Contact, heard: &Heard<'_>) -> bool {
        if !contact.receiver.channel.pages() {
            return false;
        }
        // Its end may be weighed less than it was itself.
        let labels = if problem.episode > 0 {
            problem.labels()
        } else {
            heard.fact.labels.clone()
        };
        let routed = self.alerting.route(&labels, self.clock.now());
        let mut taken = routed.taken.iter().map(|taken| taken.route);
        taken.any(|route| route.receivers.iter().any(|name| name == contact.name()))
    }

    async fn log(&self, ledger: &Ledger<'a, S>, heard: &Heard<'_>, outcome: &Outcome) {
        let Some(problem) = ledger.problem().await else {
            return;
        };
        let tally = outcome.tally;
        tracing::info!(
            fingerprint = problem.fingerprint,
            status = heard.fact.status.as_str(),
            episode = problem.episode,
            count = problem.count,
            delivered = tally.delivered,
            kept = tally.kept,
            failed = outcome.failures.len(),
            "{}: {} of this episode, {} messages delivered, {} kept for a summary",
            heard.fact.status.as_str(),
            problem.count,
            tally.delivered,
            tally.kept
        );
    }
}
