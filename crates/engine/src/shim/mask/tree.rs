//! Many words looked for at once, byte by byte (Aho and Corasick), with what a stream needs besides: how much of a word has
//! been seen, so that nothing else is held back. The library of that name does not tell.

/// Where the search stands. The first is the root: nothing of any word has been seen.
pub(super) const ROOT: u32 = 0;

struct Node {
    /// The next bytes, sorted.
    children: Vec<(u8, u32)>,
    fail: u32,
    /// How many bytes of a word have been seen.
    depth: u32,
    /// The length of the longest end of them that may still become a word, or a longer one.
    open: u32,
    /// The longest word that ends here: its length (0: none) and whose it is.
    ends: (u32, u32),
}

/// The words.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The nodes below the root by their byte.
    first: Box<[u32; 256]>,
}

impl Tree {
    /// Words, each with the number of whom it belongs to.
    pub(super) fn new<'a>(words: impl Iterator<Item = (&'a [u8], u32)>) -> Self {
        let root = Node { children: Vec::new(), fail: ROOT, depth: 0, open: 0, ends: (0, 0) };
        let mut tree = Self { nodes: vec![root], first: Box::new([ROOT; 256]) };
        for (word, owner) in words {
            tree.insert(word, owner);
        }
        tree.link();
        tree
    }

    fn insert(&mut self, word: &[u8], owner: u32) {
        let mut at = ROOT;
        for byte in word {
            at = match self.child(at, *byte) {
                Some(next) => next,
                None => self.add(at, *byte),
            };
        }
        let node = self.node_mut(at);
        if node.ends.0 == 0 && node.depth > 0 {
            node.ends = (node.depth, owner);
        }
    }

    fn add(&mut self, parent: u32, byte: u8) -> u32 {
        let next = u32::try_from(self.nodes.len()).expect("secrets are bounded");
        let depth = self.node(parent).depth + 1;
        self.nodes.push(Node { children: Vec::new(), fail: ROOT, depth, open: 0, ends: (0, 0) });
        if parent == ROOT {
            self.first[usize::from(byte)] = next;
        }
        let children = &mut self.node_mut(parent).children;
        let place = children.partition_point(|(known, _)| *known < byte);
        children.insert(place, (byte, next));
        next
    }

    /// Where to go on when a word does not; level by level, because each looks at what is above it.
    fn link(&mut self) {
        let mut level = vec![ROOT];
        while !level.is_empty() {
            let mut below = Vec::new();
            for parent in level {
                let (children, fail) = (self.node(parent).children.clone(), self.node(parent).fail);
                for (byte, child) in children {
                    let fail = if parent == ROOT { ROOT } else { self.next(fail, byte) };
                    let (open, ends) = (self.node(fail).open, self.node(fail).ends);
                    let node = self.node_mut(child);
                    node.fail = fail;
                    node.open = if node.children.is_empty() { open } else { node.depth };
                    if node.ends.0 == 0 {
                        node.ends = ends;
                    }
                    below.push(child);
                }
            }
            level = below;
        }
    }

    fn child(&self, at: u32, byte: u8) -> Option<u32> {
        if at == ROOT {
            return Some(self.first[usize::from(byte)]).filter(|next| *next != ROOT);
        }
        let children = &self.node(at).children;
        if let [(known, next)] = children.as_slice() {
            return (*known == byte).then_some(*next);
        }
        children
            .binary_search_by_key(&byte, |(known, _)| *known)
            .ok()
            .and_then(|place| children.get(place))
            .map(|it| it.1)
    }

    /// Where the search stands after one more byte.
    pub(super) fn next(&self, mut at: u32, byte: u8) -> u32 {
        loop {
            match self.child(at, byte) {
                Some(next) => return next,
                None if at == ROOT => return ROOT,
                None => at = self.node(at).fail,
            }
        }
    }

    pub(super) fn depth(&self, at: u32) -> usize {
        self.node(at).depth as usize
    }

    pub(super) fn open(&self, at: u32) -> usize {
        self.node(at).open as usize
    }

    /// The longest word that ends here, and whose it is.
    pub(super) fn ends(&self, at: u32) -> Option<(usize, u32)> {
        let (length, owner) = self.node(at).ends;
        (length > 0).then_some((length as usize, owner))
    }

    fn node(&self, at: u32) -> &Node {
        self.nodes.get(at as usize).expect("numbers come from this tree")
    }

    fn node_mut(&mut self, at: u32) -> &mut Node {
        self.nodes.get_mut(at as usize).expect("numbers come from this tree")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_inside_and_across_words_are_found_and_nothing_whole_stays_open() {
        let words: [&[u8]; 4] = [b"hunter2", b"hunter2-long", b"nter", b"2-x"];
        let tree = Tree::new(words.into_iter().zip(0..));
        let mut at = ROOT;
        let mut seen = Vec::new();
        for byte in b"hunter2-x." {
            at = tree.next(at, *byte);
            seen.push((tree.open(at), tree.ends(at)));
        }

        assert_eq!(seen[5], (6, Some((4, 2))));
        assert_eq!(seen[6], (7, Some((7, 0))));
        assert_eq!(seen[8], (0, Some((3, 3))));
        assert_eq!(seen[9], (0, None));
    }
}
