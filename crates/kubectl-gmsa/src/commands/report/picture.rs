//! The access map as a picture: SVG 2 within the page, drawn from left to right.

mod layout;

use super::html::Text;
use crate::access_map::graph::{Graph, Sort};
use layout::{COLUMN, HEIGHT, Layout, MOST, WIDTH};

/// How many characters of a name fit into a box.
const FIT: usize = 22;
/// Where the boxes begin, below the headings of the columns.
const TOP: i64 = 34;
/// The space around the picture.
const MARGIN: i64 = 8;

/// Draws the graph, with its caption.
pub fn draw(graph: &Graph) -> String {
    if graph.edges.is_empty() {
        return "<p>There is nothing to draw: no service account has a right, and none is used.\
                </p>\n"
            .to_owned();
    }
    let layout = Layout::new(graph);
    let (width, height) = (layout.width + 2 * MARGIN, layout.height + TOP + MARGIN);
    let denied = graph.edges.iter().filter(|(_, _, denied)| *denied).count();
    let mut svg = format!(
        "<figure>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" \
         aria-label=\"Access map, to be scrolled\">\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         aria-labelledby=\"picture-title picture-text\">\n\
         <title id=\"picture-title\">Access map</title>\n\
         <desc id=\"picture-text\">Lines lead from workloads over their service accounts, groups, \
         bindings and roles to credential specs. {} nodes, {} lines, {denied} of them denied. The \
         table in the next section tells the same in words.</desc>\n\
         <defs>{}{}</defs>\n",
        graph.nodes.len(),
        graph.edges.len(),
        marker("arrow", ""),
        marker("arrow-denied", " denied"),
    );
    for (index, sort) in layout.columns.iter().enumerate() {
        let x = MARGIN + i64::try_from(index).unwrap_or_default() * COLUMN;
        svg.push_str(&format!(
            "<text class=\"column\" x=\"{x}\" y=\"20\">{}</text>\n",
            heading(*sort)
        ));
    }
    for line in &layout.lines {
        svg.push_str(&edge(line));
    }
    for placed in &layout.boxes {
        svg.push_str(&node(placed));
    }
    svg.push_str("</svg>\n</div>\n<figcaption>");
    svg.push_str("An unbroken line says that the right is given this way. ");
    if denied > 0 {
        svg.push_str(
            "A broken red line says that something uses the credential spec and may not. ",
        );
    }
    if layout.hidden > 0 {
        svg.push_str(&format!(
            "Of each column at most {MOST} are drawn, those that are denied or have the most lines \
             first; the other {} stand together in one box of their column. ",
            layout.hidden
        ));
    }
    svg.push_str(
        "Service accounts that have a right by a group alone and do not use it are not drawn.\
         </figcaption>\n</figure>\n",
    );
    svg
}

fn marker(id: &str, class: &str) -> String {
    format!(
        "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
         <path class=\"arrow{class}\" d=\"M0 0 8 4 0 8z\"/></marker>"
    )
}

fn heading(sort: Sort) -> &'static str {
    match sort {
        Sort::Workload => "Workloads",
        Sort::Account => "Service accounts",
        Sort::Group => "Groups",
        Sort::Binding => "Bindings",
        Sort::Role => "Roles",
        Sort::Spec => "Credential specs",
    }
}

fn class(sort: Sort) -> &'static str {
    match sort {
        Sort::Workload => "workload",
        Sort::Account => "account",
        Sort::Group => "group",
        Sort::Binding => "binding",
        Sort::Role => "role",
        Sort::Spec => "spec",
    }
}

fn edge(line: &layout::Line) -> String {
    let mut path = String::new();
    let mut before: Option<(i64, i64)> = None;
    for (left, right, y) in &line.points {
        let (left, right, y) = (left + MARGIN, right + MARGIN, y + TOP);
        match before {
            None => path.push_str(&format!("M{right} {y}")),
            Some((x, from)) => {
                let bend = (left - x) / 2;
                path.push_str(&format!("C{} {from} {} {y} {left} {y}", x + bend, left - bend));
                if right > left {
                    path.push_str(&format!("H{right}"));
                }
            }
        }
        before = Some((right, y));
    }
    let (class, marker) =
        if line.denied { ("edge denied", "arrow-denied") } else { ("edge", "arrow") };
    let says = if line.denied { " is denied " } else { " to " };
    format!(
        "<path class=\"{class}\" data-from=\"{from}\" data-to=\"{to}\" \
         marker-end=\"url(#{marker})\" d=\"{path}\"><title>{from}{says}{to}</title></path>\n",
        from = Text(&line.from),
        to = Text(&line.to),
    )
}

fn node(placed: &layout::Box) -> String {
    let (x, y) = (placed.x + MARGIN, placed.y + TOP - HEIGHT / 2);
    let (kind, name) = placed.label.split_once(' ').unwrap_or(("", &placed.label));
    let more = if placed.stands_for > 1 { " more" } else { "" };
    format!(
        "<g class=\"node {}{more}\" data-label=\"{label}\"><title>{label}</title>\
         <rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"5\"/>\
         <rect class=\"bar\" x=\"{x}\" y=\"{y}\" width=\"5\" height=\"{HEIGHT}\" rx=\"2\"/>\
         <text class=\"kind\" x=\"{text}\" y=\"{}\">{}</text>\
         <text x=\"{text}\" y=\"{}\">{}</text></g>\n",
        class(placed.sort),
        y + 17,
        Text(kind),
        y + 34,
        Text(&fitted(name)),
        label = Text(&placed.label),
        text = x + 14,
    )
}

/// A name that fits into a box: the middle is left out, because names differ at their ends.
fn fitted(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= FIT {
        return name.to_owned();
    }
    let side = (FIT - 1) / 2;
    let head: String = letters.iter().take(side + 1).collect();
    let tail: String = letters.iter().skip(letters.len() - side).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests;
