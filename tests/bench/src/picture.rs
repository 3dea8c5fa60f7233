//! The report as a picture: how long a patient is on the way, and how many jobs a second. Plain SVG, no dependencies.

use crate::{
    cases::ENGINE,
    figure::Figure,
    report::{Curve, Report},
    unit::Unit,
};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
/// Where the bars and the lines begin and end.
const LEFT: (f64, f64) = (240.0, 440.0);
const RIGHT: (f64, f64) = (560.0, 930.0);
const TOP: f64 = 60.0;
const BOTTOM: f64 = 350.0;
/// Where the scale of rates begins; it is logarithmic.
const LEAST_RATE: f64 = 50.0;
const COLOURS: [&str; 3] = ["#1f5fa8", "#7fb0e0", "#9a9a9a"];

/// The picture.
pub(crate) fn of(report: &Report) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let timed: Vec<&Figure> = report
        .figures()
        .filter(|figure| figure.unit == Unit::Seconds && figure.beside.is_some())
        .collect();
    text(
        &mut svg,
        (20.0, 24.0),
        "start",
        "How long (median; grey: what it is measured against)",
    );
    bars(&mut svg, &timed);
    let curves: Vec<&Curve> = report
        .sections
        .iter()
        .flat_map(|section| &section.curves)
        .collect();
    text(
        &mut svg,
        (RIGHT.0 - 40.0, 24.0),
        "start",
        "Jobs a second, by how many are in flight",
    );
    lines(&mut svg, &curves);
    let machine = &report.machine;
    let under = format!(
        "{}, {} cores; fdatasync {}; load {:.1}{}",
        machine.processor,
        machine.cores,
        machine.flushes_per_second.show(Unit::PerSecond),
        machine.load_average,
        if machine.is_optimised {
            ""
        } else {
            "; NOT a release build"
        }
    );
    text(&mut svg, (20.0, HEIGHT - 12.0), "start", &under);
    svg.push_str("</svg>\n");
    svg
}

/// One pair of bars for each figure, all on one logarithmic scale from 10 us to 1 s.
fn bars(svg: &mut String, figures: &[&Figure]) {
    let (least, most) = (1e-5_f64, 1.0_f64);
    let part = |value: f64| ((value.max(least) / least).ln() / (most / least).ln()).clamp(0.01, 1.0);
    let mut top = TOP;
    for figure in figures {
        text(svg, (LEFT.0 - 8.0, top + 14.0), "end", &figure.what);
        let ours = figure.ours.map(|spread| (spread.median, COLOURS[0]));
        let beside = figure
            .beside
            .as_ref()
            .map(|beside| (beside.figure.median, COLOURS[2]));
        for (value, colour) in [ours, beside].into_iter().flatten() {
            let width = part(value) * (LEFT.1 - LEFT.0);
            let x = LEFT.0;
            _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"10\" fill=\"{colour}\"/>"
            );
            text(
                svg,
                (x + width + 4.0, top + 9.0),
                "start",
                &Unit::Seconds.show(value),
            );
            top += 11.0;
        }
        top += 6.0;
    }
}

/// The curves, with what the integration engine does as a dashed line.
#[allow(clippy::cast_precision_loss, reason = "places in a picture")]
fn lines(svg: &mut String, curves: &[&Curve]) {
    let points = curves.iter().flat_map(|curve| &curve.points);
    let most = points.map(|(_, rate)| *rate).fold(ENGINE * 1.2, f64::max);
    let part = |rate: f64| (rate.max(LEAST_RATE) / LEAST_RATE).ln() / (most / LEAST_RATE).ln();
    let y = |rate: f64| BOTTOM - part(rate) * (BOTTOM - TOP);
    // 1, 4, 16 and 64 in flight are equally far from each other.
    let x = |in_flight: usize| RIGHT.0 + (in_flight as f64).log(64.0) * (RIGHT.1 - RIGHT.0);
    for (line, rate) in [("#bbbbbb", LEAST_RATE), ("#c0392b", ENGINE)] {
        let (from, to, at) = (RIGHT.0, RIGHT.1, y(rate));
        _ = writeln!(
            svg,
            "<line x1=\"{from}\" y1=\"{at:.1}\" x2=\"{to}\" y2=\"{at:.1}\" stroke=\"{line}\" stroke-dasharray=\"4\"/>"
        );
    }
    let engine = format!("integration engine {}", Unit::PerSecond.show(ENGINE));
    text(svg, (RIGHT.0, y(ENGINE) - 4.0), "start", &engine);
    for (number, (curve, colour)) in curves.iter().zip(COLOURS).enumerate() {
        let places = curve
            .points
            .iter()
            .map(|(in_flight, rate)| format!("{:.1},{:.1}", x(*in_flight), y(*rate)));
        let places: Vec<_> = places.collect();
        _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        );
        for (in_flight, rate) in &curve.points {
            let (x, y) = (x(*in_flight), y(*rate));
            _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
            // The second line is close under the first one, so that its figures go below.
            let beside = if number == 1 { 15.0 } else { -6.0 };
            text(svg, (x, y + beside), "middle", &format!("{rate:.0}"));
        }
        let at = (RIGHT.0 + 130.0 * number as f64 - 40.0, 44.0);
        _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>",
            at.0,
            at.1 - 9.0
        );
        text(svg, (at.0 + 14.0, at.1), "start", &curve.name);
    }
    let in_flight = curves.first().into_iter().flat_map(|curve| &curve.points);
    for (in_flight, _) in in_flight {
        text(
            svg,
            (x(*in_flight), BOTTOM + 16.0),
            "middle",
            &in_flight.to_string(),
        );
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
