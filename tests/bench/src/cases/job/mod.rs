//! The whole job: a patient of 1 KiB comes in by `Publish`, is flushed, mapped by a connector in the sandbox, and sent to a
//! web service of this machine; beside it a plain program that takes the same bytes by HTTP, appends them with
//! `fdatasync`, and sends them to the same service.
//!
//! The bus does more: it decides who the patient is, notes that it is about to create a record, reads the record back, and
//! stores what it saw. So there are two rates: until the last patient was at the service, and until the last was read back.

mod cost;
mod sides;

use super::ENGINE;
use crate::{
    arguments::Settings,
    collect::Rounds,
    figure::{Budget, Figure, Judged, Spread},
    floor::Floor,
    machine,
    patients::{Patients, changed},
    practice::{self, VENDORS, megabytes, peaks},
    report::{Curve, Measured},
    sink::Sink,
    unit::{Unit, quantile, rate},
};
use anyhow::{Context as _, Result};
use archwire_client::v1::Observation;
use archwire_tests::Practice;
use cost::Cost;
use sides::{Many, Ours, Theirs};
use std::time::Duration;

const PATIENTS: usize = 1_000;
const IN_FLIGHT: [usize; 4] = [1, 4, 16, 64];
/// At how many in flight it is found out what a job costs.
const COSTED: usize = 16;
const A_SECOND: [u32; 2] = [50, 200];
/// At which pace how long it may take was promised, and how long.
const PROMISED_AT: u32 = 200;
const LONGEST: Budget = Budget::AtMost(0.005);
const FLOOR: &str = "plain program";
/// How long patients come at a steady pace, in seconds.
const STEADY: usize = 5;
/// Jobs a second of that engine at its worst.
const ENGINE_AT_WORST: f64 = 150.0;
/// How many times that we want to do.
const TIMES: f64 = 5.0;
/// A tenth of what that engine holds in memory, at its most and at its least, in MB.
const A_TENTH: (f64, f64) = (75.0, 39.0);

pub(super) async fn run(settings: &Settings) -> Result<Measured> {
    let sink = Sink::open().await?;
    let mut practice = practice::with_sink(&sink).await?;
    practice.start_broker().await?;
    let [vendor, ..] = VENDORS;
    let floor = Floor::start(&practice.folder().join("floor"), sink.url()).await?;
    let sides = Sides {
        ours: Ours::of(&practice, vendor).await?,
        beside: Theirs::at(floor.url()),
        practice: &practice,
        floor: &floor,
        sink: &sink,
    };
    let count = settings.sized(PATIENTS);
    let steady = |a_second: u32| settings.sized(a_second as usize * STEADY);
    let a_round = IN_FLIGHT.len() * count + A_SECOND.into_iter().map(steady).sum::<usize>();
    let mut patients = Patients::invent(count + settings.rounds * a_round);
    let few = with_few(&sides, patients.next(count)?).await?;
    let mut seen = Seen::default();
    for _ in 0..settings.rounds {
        for (place, in_flight) in IN_FLIGHT.into_iter().enumerate() {
            seen.many(&sides, place, in_flight, &mut patients, count).await?;
        }
        for (place, a_second) in A_SECOND.into_iter().enumerate() {
            let some = patients.next(steady(a_second))?;
            seen.paced(&sides, place, a_second, some).await?;
        }
    }
    let many = with_many(&practice, count + settings.rounds * a_round)?;
    let (best, curves) = best(&seen.rates);
    let mut figures = vec![best];
    figures.extend(seen.figures());
    figures.extend(few);
    figures.extend(many);
    Ok(Measured {
        figures,
        curves,
        notes: vec![
            format!(
                "a widely used integration engine does {ENGINE_AT_WORST} to {ENGINE} jobs a second on such a machine, p50 106 to 121 ms, 390 to 750 MB"
            ),
            format!(
                "{TIMES} times its worst rate would be {:.0} /s",
                TIMES * ENGINE_AT_WORST
            ),
        ],
        ..Measured::default()
    })
}

/// Who does the job, and where it ends.
struct Sides<'a> {
    ours: Ours,
    beside: Theirs,
    practice: &'a Practice,
    floor: &'a Floor,
    sink: &'a Sink,
}

/// What was seen in all rounds.
#[derive(Default)]
struct Seen {
    rates: [Rates; IN_FLIGHT.len()],
    ways: [Ways; A_SECOND.len()],
    costs: Vec<Cost>,
    /// Jobs that change what the web service has already.
    changes: Vec<Many>,
    /// Of the plain program, in seconds of a processor.
    floor_costs: Vec<f64>,
}

/// One degree of concurrency.
#[derive(Default)]
struct Rates {
    at_service: Rounds,
    read_back: Vec<f64>,
}

/// One pace: how long patients are on their way.
#[derive(Default)]
struct Ways {
    median: Rounds,
    rare: Rounds,
}

impl Seen {
    async fn many(
        &mut self,
        sides: &Sides<'_>,
        place: usize,
        in_flight: usize,
        patients: &mut Patients,
        count: usize,
    ) -> Result<()> {
        let some = patients.next(count)?;
        let ours = |some| sides.ours.many(sides.practice, sides.sink, in_flight, some);
        sides.sink.clear();
        let new = ours(some.clone()).await?;
        if in_flight == COSTED {
            let round = self.changes.len();
            let again = some.iter().map(|one| changed(one.clone(), round)).collect();
            self.changes.push(ours(again).await?);
        }
        let before = sides.floor_time()?;
        let beside = sides.beside.many(sides.sink, in_flight, some).await?;
        if in_flight == COSTED {
            self.costs.push(new.cost);
            self.floor_costs.push(each(sides.floor_time()? - before, count));
        }
        if let Some(rates) = self.rates.get_mut(place) {
            rates.read_back.push(new.read_back);
            rates.at_service.add(new.at_service, beside);
        }
        Ok(())
    }

    async fn paced(
        &mut self,
        sides: &Sides<'_>,
        place: usize,
        a_second: u32,
        some: Vec<Observation>,
    ) -> Result<()> {
        let mut ours = sides.ours.paced(sides.sink, a_second, some.clone()).await?;
        let mut beside = sides.beside.paced(sides.sink, a_second, some).await?;
        if let Some(ways) = self.ways.get_mut(place) {
            ways.median
                .add(quantile(&mut ours, 0.5), quantile(&mut beside, 0.5));
            ways.rare
                .add(quantile(&mut ours, 0.99), quantile(&mut beside, 0.99));
        }
        Ok(())
    }

    fn figures(self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (
            in_flight,
            Rates {
                at_service,
                read_back,
            },
        ) in IN_FLIGHT.into_iter().zip(self.rates)
        {
            let what = format!("jobs, {in_flight} in flight");
            let too = format!("{what}, read back too");
            figures.push(at_service.figure(what, Unit::PerSecond, FLOOR, Judged::Ratio));
            figures.push(Figure::new(too, Unit::PerSecond, read_back));
        }
        for (a_second, Ways { median, rare }) in A_SECOND.into_iter().zip(self.ways) {
            let what = format!("Publish to web service at {a_second}/s");
            let median = median.figure(format!("{what}, p50"), Unit::Seconds, FLOOR, Judged::Added);
            // The budget is about the figure itself, not about what it is more than the floor.
            let is_promised = a_second == PROMISED_AT;
            figures.push(if is_promised {
                median.promised_itself(LONGEST)
            } else {
                median
            });
            figures.push(rare.figure(format!("{what}, p99"), Unit::Seconds, FLOOR, Judged::Added));
        }
        let rounds = |of: fn(&Many) -> f64| self.changes.iter().map(of).collect();
        let what = format!("jobs that change a phone, {COSTED} in flight");
        let too = format!("{what}, read back too");
        figures.push(Figure::new(what, Unit::PerSecond, rounds(|many| many.at_service)));
        figures.push(Figure::new(too, Unit::PerSecond, rounds(|many| many.read_back)));
        figures.extend(cost::figures("a job", &self.costs, &self.floor_costs));
        let changes: Vec<_> = self.changes.iter().map(|many| many.cost).collect();
        figures.extend(cost::figures("a change", &changes, &[]));
        figures
    }
}

impl Sides<'_> {
    fn floor_time(&self) -> Result<Duration> {
        let time = self.floor.pid().and_then(machine::processor_time);
        time.context("the plain program has ended")
    }
}

/// The best rate, judged, and the picture's lines.
fn best(rates: &[Rates]) -> (Figure, Vec<Curve>) {
    let medians = |of: fn(&Rates) -> &Vec<f64>| -> Vec<(usize, f64)> {
        let median = |rates: &Rates| Spread::of(of(rates)).median;
        IN_FLIGHT.into_iter().zip(rates.iter().map(median)).collect()
    };
    let ours = medians(|rates| &rates.at_service.ours);
    let best = ours
        .iter()
        .zip(rates)
        .max_by(|((_, one), _), ((_, other), _)| one.total_cmp(other))
        .map_or_else(Vec::new, |(_, rates)| rates.at_service.ours.clone());
    let figure = Figure::new("jobs a second at the best of these", Unit::PerSecond, best)
        .promised(Budget::AtLeast(TIMES * ENGINE));
    let curve = |name: &str, points| Curve {
        name: name.to_owned(),
        points,
    };
    let curves = vec![
        curve("Archwire", ours),
        curve("Archwire, read back too", medians(|rates| &rates.read_back)),
        curve(FLOOR, medians(|rates| &rates.at_service.beside)),
    ];
    (figure, curves)
}

/// The most that each of them held until these patients were delivered and changed once, in a practice of nobody else.
async fn with_few(sides: &Sides<'_>, patients: Vec<Observation>) -> Result<Vec<Figure>> {
    let Sides {
        ours,
        beside,
        practice,
        floor,
        sink,
    } = sides;
    let (count, [.., in_flight]) = (patients.len(), IN_FLIGHT);
    sink.clear();
    ours.many(practice, sink, in_flight, patients.clone()).await?;
    let again = patients.iter().map(|one| changed(one.clone(), 1)).collect();
    ours.many(practice, sink, in_flight, again).await?;
    beside.many(sink, in_flight, patients).await?;
    let (broker, nats) = peaks(practice)?;
    let floor = megabytes(floor.pid().context("the plain program has ended")?)?;
    Ok(vec![
        memory("broker and nats-server together", count, broker + nats)
            .beside(FLOOR, Judged::Itself, &[floor])
            .promised(Budget::AtMost(A_TENTH.0)),
        memory("the broker", count, broker).promised(Budget::AtMost(A_TENTH.1)),
        memory("its nats-server", count, nats),
    ])
}

/// The most that each of them held over the whole case.
fn with_many(practice: &Practice, patients: usize) -> Result<[Figure; 2]> {
    let (broker, nats) = peaks(practice)?;
    Ok([
        memory("the broker", patients, broker),
        memory("its nats-server", patients, nats),
    ])
}

fn memory(of: &str, patients: usize, value: f64) -> Figure {
    let what = format!("memory of {of}, {patients} patients, at most");
    Figure::new(what, Unit::Megabytes, vec![value])
}

/// Seconds for each of so many.
fn each(time: Duration, count: usize) -> f64 {
    1.0 / rate(count, time)
}
