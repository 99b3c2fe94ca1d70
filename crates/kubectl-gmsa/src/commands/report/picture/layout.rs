//! Where the boxes and lines of the picture are: a layered drawing. Each sort of node has a column;
//! a line over several columns has a place of its own in each; within a column the order and the
//! heights follow the neighbours.

use std::collections::{BTreeMap, BTreeSet};

use crate::access_map::graph::{Graph, Sort};

/// How many nodes a column has at most.
pub const MOST: usize = 40;
/// The width of a box.
pub const WIDTH: i64 = 204;
/// The height of a box.
pub const HEIGHT: i64 = 44;
/// From one column to the next.
pub const COLUMN: i64 = WIDTH + 50;
/// Between two boxes, or lines, of a column.
const GAP: i64 = 14;
/// The height of a line that passes a column.
const PASSING: i64 = 6;
/// How often the columns are gone through.
const ROUNDS: usize = 8;
/// Means of whole numbers keep this many parts of one.
const PARTS: i64 = 1000;

/// A box of the picture.
pub struct Box {
    pub label: String,
    pub sort: Sort,
    /// How many nodes it stands for.
    pub stands_for: usize,
    /// Its left side.
    pub x: i64,
    /// Its middle.
    pub y: i64,
}

/// A line of the picture.
pub struct Line {
    pub from: String,
    pub to: String,
    pub denied: bool,
    /// Where it goes through each column: from left to right, and at which height.
    pub points: Vec<(i64, i64, i64)>,
}

/// The whole picture.
pub struct Layout {
    /// The sort of each column.
    pub columns: Vec<Sort>,
    pub boxes: Vec<Box>,
    pub lines: Vec<Line>,
    pub width: i64,
    pub height: i64,
    /// How many nodes have no box of their own.
    pub hidden: usize,
}

/// A place in a column: a box, or a line that passes.
#[derive(Default)]
struct Place {
    is_box: bool,
    column: usize,
    rank: i64,
    y: i64,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Place {
    fn height(&self) -> i64 {
        if self.is_box { HEIGHT } else { PASSING }
    }
}

#[derive(Default)]
struct Places {
    all: Vec<Place>,
    columns: Vec<Vec<usize>>,
}

impl Layout {
    pub fn new(graph: &Graph) -> Self {
        let merged = Merged::new(graph);
        let sorts: BTreeSet<Sort> = merged.nodes.values().map(|(sort, _)| *sort).collect();
        let columns: Vec<Sort> = sorts.into_iter().collect();
        let column = |sort: Sort| columns.iter().position(|one| *one == sort).unwrap_or_default();
        let mut places = Places { all: Vec::new(), columns: vec![Vec::new(); columns.len()] };
        let ids: BTreeMap<&str, usize> = merged
            .nodes
            .iter()
            .map(|(label, (sort, _))| (label.as_str(), places.add(column(*sort), true)))
            .collect();
        let mut ways = Vec::new();
        for (from, to, denied) in &merged.edges {
            if let (Some(start), Some(end)) = (ids.get(from.as_str()), ids.get(to.as_str())) {
                ways.push((from, to, *denied, places.connect(*start, *end)));
            }
        }
        places.order();
        places.settle();
        let x = |place: &Place| int(place.column) * COLUMN;
        let boxes = merged.nodes.iter().filter_map(|(label, (sort, stands_for))| {
            let place = places.all.get(*ids.get(label.as_str())?)?;
            let (label, sort, stands_for) = (label.clone(), *sort, *stands_for);
            Some(Box { label, sort, stands_for, x: x(place), y: place.y })
        });
        let lines = ways.iter().map(|(from, to, denied, way)| Line {
            from: (*from).clone(),
            to: (*to).clone(),
            denied: *denied,
            points: way
                .iter()
                .filter_map(|id| places.all.get(*id))
                .map(|place| (x(place), x(place) + WIDTH, place.y))
                .collect(),
        });
        let mut lines: Vec<Line> = lines.collect();
        for line in &mut lines {
            // It ends at the left side of the last box.
            if let Some((left, right, _)) = line.points.last_mut() {
                *right = *left;
            }
        }
        let bottom = places.all.iter().map(|place| place.y + place.height() / 2).max();
        Self {
            width: int(columns.len().saturating_sub(1)) * COLUMN + WIDTH,
            height: bottom.unwrap_or_default(),
            hidden: merged.hidden,
            boxes: boxes.collect(),
            lines,
            columns,
        }
    }
}

/// The graph with no more nodes of a sort than can be drawn.
struct Merged {
    nodes: BTreeMap<String, (Sort, usize)>,
    edges: BTreeSet<(String, String, bool)>,
    hidden: usize,
}

impl Merged {
    fn new(graph: &Graph) -> Self {
        let mut lines: BTreeMap<&str, (bool, usize)> = BTreeMap::new();
        for (from, to, denied) in &graph.edges {
            for end in [from, to] {
                let known = lines.entry(end.as_str()).or_default();
                *known = (known.0 || *denied, known.1 + 1);
            }
        }
        let mut of_sort: BTreeMap<Sort, Vec<&str>> = BTreeMap::new();
        for (label, sort) in &graph.nodes {
            of_sort.entry(*sort).or_default().push(label);
        }
        let mut merged = Self { nodes: BTreeMap::new(), edges: BTreeSet::new(), hidden: 0 };
        let mut into: BTreeMap<&str, String> = BTreeMap::new();
        for (sort, mut labels) in of_sort {
            // Stable: what weighs the same stays in the order of the names.
            labels.sort_by_key(|label| {
                std::cmp::Reverse(lines.get(label).copied().unwrap_or_default())
            });
            let kept = if labels.len() > MOST { MOST - 1 } else { MOST };
            let rest = labels.split_off(kept.min(labels.len()));
            for label in labels {
                merged.nodes.insert(label.to_owned(), (sort, 1));
            }
            if !rest.is_empty() {
                merged.hidden += rest.len();
                let label = format!("{} and {} more", plural(sort), rest.len());
                into.extend(rest.iter().map(|hidden| (*hidden, label.clone())));
                merged.nodes.insert(label, (sort, rest.len()));
            }
        }
        let ends = |label: &String| into.get(label.as_str()).unwrap_or(label).clone();
        merged.edges =
            graph.edges.iter().map(|(from, to, denied)| (ends(from), ends(to), *denied)).collect();
        merged
    }
}

fn plural(sort: Sort) -> &'static str {
    match sort {
        Sort::Workload => "Workloads",
        Sort::Account => "ServiceAccounts",
        Sort::Group => "Groups",
        Sort::Binding => "Bindings",
        Sort::Role => "Roles",
        Sort::Spec => "GMSACredentialSpecs",
    }
}

impl Places {
    fn add(&mut self, column: usize, is_box: bool) -> usize {
        let id = self.all.len();
        let rank = self.columns.get_mut(column).map_or(0, |ids| {
            ids.push(id);
            int(ids.len() - 1)
        });
        self.all.push(Place { is_box, column, rank: rank * PARTS, ..Place::default() });
        id
    }

    /// Connects two boxes, with a place in each column between them; gives the whole way.
    fn connect(&mut self, start: usize, end: usize) -> Vec<usize> {
        let column = |places: &Self, id: usize| places.all.get(id).map_or(0, |one| one.column);
        let (first, last) = (column(self, start), column(self, end));
        let mut way = vec![start];
        for between in first + 1..last {
            way.push(self.add(between, false));
        }
        way.push(end);
        for pair in way.windows(2) {
            let [from, to] = *pair else { continue };
            if let Some(place) = self.all.get_mut(from) {
                place.after.push(to);
            }
            if let Some(place) = self.all.get_mut(to) {
                place.before.push(from);
            }
        }
        way
    }

    /// The mean of something over the neighbours of a place, or its own.
    fn mean(&self, id: usize, back: bool, of: fn(&Place) -> i64) -> i64 {
        let Some(place) = self.all.get(id) else { return 0 };
        let neighbours = if back { &place.before } else { &place.after };
        let sum: i64 = neighbours.iter().filter_map(|id| self.all.get(*id)).map(of).sum();
        match int(neighbours.len()) {
            0 => of(place),
            count => sum / count,
        }
    }

    /// Each round goes through the columns in one direction, looking at those gone through.
    fn rounds(&self) -> Vec<(usize, bool)> {
        let count = self.columns.len();
        (0..ROUNDS)
            .flat_map(|round| -> Vec<(usize, bool)> {
                if round % 2 == 0 {
                    (1..count).map(|column| (column, true)).collect()
                } else {
                    (0..count.saturating_sub(1)).rev().map(|column| (column, false)).collect()
                }
            })
            .collect()
    }

    /// Puts the places of each column into the order of their neighbours, so that few lines cross.
    fn order(&mut self) {
        for (column, back) in self.rounds() {
            let mut ids = self.columns.get(column).cloned().unwrap_or_default();
            ids.sort_by_key(|id| self.mean(*id, back, |place| place.rank));
            for (rank, id) in ids.iter().enumerate() {
                if let Some(place) = self.all.get_mut(*id) {
                    place.rank = int(rank) * PARTS;
                }
            }
            if let Some(known) = self.columns.get_mut(column) {
                *known = ids;
            }
        }
    }

    /// Moves each place towards its neighbours, in the order of the column.
    fn settle(&mut self) {
        for ids in self.columns.clone() {
            self.put(&ids, &vec![0; ids.len()]);
        }
        for (column, back) in self.rounds() {
            let ids = self.columns.get(column).cloned().unwrap_or_default();
            let wanted: Vec<i64> =
                ids.iter().map(|id| self.mean(*id, back, |place| place.y)).collect();
            self.put(&ids, &wanted);
        }
        let top = self.all.iter().map(|place| place.y - place.height() / 2).min();
        for place in &mut self.all {
            place.y -= top.unwrap_or_default();
        }
    }

    /// Puts the places of a column at the heights wanted, as near as their own heights allow.
    fn put(&mut self, ids: &[usize], wanted: &[i64]) {
        let mut bottom: Option<i64> = None;
        let mut moved = 0;
        for (id, wanted) in ids.iter().zip(wanted) {
            let Some(place) = self.all.get_mut(*id) else { continue };
            let half = place.height() / 2;
            place.y = bottom.map_or(*wanted, |bottom| (*wanted).max(bottom + GAP + half));
            bottom = Some(place.y + half);
            moved += place.y - wanted;
        }
        // What was pushed down is brought back together.
        let back = moved / int(ids.len()).max(1);
        for id in ids {
            if let Some(place) = self.all.get_mut(*id) {
                place.y -= back;
            }
        }
    }
}

fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
