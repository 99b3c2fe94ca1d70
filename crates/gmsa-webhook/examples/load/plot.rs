//! Line charts as SVG, readable on light and dark pages.

use std::fmt::Write as _;

/// One line of a chart.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<f64>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 340.0;
/// Where the axes end, from each side.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 160.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 45.0;
const COLOURS: [&str; 4] = ["#2f81f7", "#d29922", "#8b949e", "#f85149"];

/// Renders a chart with a logarithmic axis of values, from which powers of ten are marked.
pub(crate) fn chart(title: &str, unit: &str, places: &[&str], lines: &[Line<'_>]) -> String {
    let all = || lines.iter().flat_map(|line| &line.values).copied();
    let least = all().fold(f64::INFINITY, f64::min).log10().floor();
    let most = all().fold(0.0, f64::max).log10().ceil();
    let count = f64::from(u32::try_from(places.len()).unwrap());
    let across = |index: usize| {
        let index = f64::from(u32::try_from(index).unwrap());
        LEFT + (WIDTH - LEFT - RIGHT) * (index + 0.5) / count
    };
    let down = |value: f64| {
        let share = (value.log10() - least) / (most - least).max(1.0);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#7d8590\">\n<title>{title}</title>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
    );
    let mut mark = least;
    while mark <= most {
        let y = down(10_f64.powf(mark));
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{}\" stroke=\"#7d8590\" stroke-opacity=\".35\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            shown(10_f64.powf(mark), unit),
        );
        mark += 1.0;
    }
    for (index, place) in places.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{place}</text>",
            across(index),
            HEIGHT - BOTTOM + 20.0,
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">calls at once</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 6.0,
    );
    for (order, (line, colour)) in lines.iter().zip(COLOURS).enumerate() {
        let points: Vec<String> = line
            .values
            .iter()
            .enumerate()
            .map(|(index, value)| format!("{:.1},{:.1}", across(index), down(*value)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            points.join(" ")
        );
        for (point, value) in points.iter().zip(&line.values) {
            let (x, y) = point.split_once(',').unwrap();
            let _ = writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"{colour}\"><title>{}: {}</title>\
                 </circle>",
                line.name,
                shown(*value, unit)
            );
        }
        let y = TOP + 20.0 * f64::from(u32::try_from(order).unwrap());
        let x = WIDTH - RIGHT + 15.0;
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h20\" stroke=\"{colour}\" stroke-width=\"2.5\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            x + 27.0,
            y + 4.0,
            line.name
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A value with its unit; microseconds as milliseconds where those are more.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "µs" if value >= 1000.0 => format!("{} ms", value / 1000.0),
        _ if value >= 1000.0 => format!("{}k{unit}", value / 1000.0),
        _ => format!("{value} {unit}"),
    }
}
