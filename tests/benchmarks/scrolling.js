// Returns the pixels to scroll on the shortest way: `judge`, until each of the words and each of the controls has been in
// view, one after the other; `read`, until the word at the end of the answer is. A place is a word or a control: its top
// comes into view, then its bottom, since it may be higher than the window.
({words, end, controls}) => {
    const task = document.querySelector(".lsf-main-view__annotation");
    const scrolled = new Map();

    const placeOf = (word, atEnd = false) => {
        const walker = document.createTreeWalker(task, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const isText = node.nodeType === Node.TEXT_NODE;
            const element = isText ? node.parentElement : node;
            if (!element.checkVisibility()) continue;
            if (isText && node.data.includes(word)) {
                const range = document.createRange();
                range.setStart(node, node.data.indexOf(word));
                range.setEnd(node, node.data.indexOf(word) + word.length);
                return {element, area: () => range.getBoundingClientRect(), boxes: boxesAround(element)};
            }
            if (element.tagName === "TEXTAREA" && element.value.includes(word)) return placeInBox(element, atEnd);
        }
        throw new Error(`The page does not show "${word}".`);
    };

    // A browser does not say where a word of a text box stands: it is in its first line or in its last one.
    const placeInBox = (element, atEnd) => {
        const line = parseFloat(getComputedStyle(element).lineHeight);
        const area = () => {
            const {top, bottom, left, right} = element.getBoundingClientRect();
            return atEnd ? {top: bottom - line, bottom, left, right} : {top, bottom: top + line, left, right};
        };
        return {...wholeOf(element), area, inside: atEnd ? element.scrollHeight : 0};
    };

    const scroll = (box, by) => {
        const before = box.scrollTop;
        if (!scrolled.has(box)) scrolled.set(box, before);
        box.scrollTop += by;
        return Math.abs(box.scrollTop - before);
    };

    const boxesAround = element => {
        const boxes = [];
        for (let box = element; box; box = box.parentElement)
            if (/auto|scroll/.test(getComputedStyle(box).overflowY)) boxes.push(box);
        return boxes;
    };

    const wholeOf = element => ({
        element,
        area: () => element.getBoundingClientRect(),
        boxes: boxesAround(element.parentElement),
    });

    const told = element => element?.outerHTML.slice(0, 300);

    const isTransparent = element => getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)";

    // Returns what is to be seen where an element should be: something may lie over it, as Label Studio's bar at the bottom.
    const seenAt = ({x, y}, element) =>
        document.elementsFromPoint(x, y).find(found => element.contains(found) || !isTransparent(found));

    // How far a line lies above the view of a box, which is negative, or below it.
    const beyond = (box, y) => {
        const top = box.getBoundingClientRect().top + box.clientTop;
        return Math.floor(Math.min(0, y - top)) + Math.ceil(Math.max(0, y + 1 - top - box.clientHeight));
    };

    const showEdge = ({element, area, boxes}, edge) => {
        const point = () => {
            const {[edge]: y, left, right} = area();
            return {x: (left + right) / 2, y: edge === "top" ? y + 1 : y - 1};
        };
        let way = boxes.reduce((sum, box) => sum + scroll(box, beyond(box, point().y)), 0);
        const by = point().y > innerHeight / 2 ? 1 : -1;
        const push = box => {
            const pushed = scroll(box, by);
            if (!pushed || !beyond(box, point().y)) return pushed;
            scroll(box, -by);
            return 0;
        };
        for (let seen = seenAt(point(), element); !element.contains(seen); seen = seenAt(point(), element)) {
            const pushed = boxes.reduce((done, box) => done || push(box), 0);
            if (!pushed) throw new Error(`The ${edge} of this cannot be seen: ${told(element)}\nThis hides it: ${told(seen)}`);
            way += pushed;
        }
        return way;
    };

    const show = place => {
        const way = scroll(place.element, place.inside ?? 0);
        return way + showEdge(place, "top") + showEdge(place, "bottom");
    };

    const wayTo = places => {
        const way = places.reduce((sum, place) => sum + show(place), 0);
        for (const [box, top] of scrolled) box.scrollTop = top;
        return way;
    };
    return {
        judge: wayTo([...words.map(word => placeOf(word)), ...controls.map(wholeOf)]),
        read: wayTo([placeOf(end, true)]),
    };
}
