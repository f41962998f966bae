// Returns the pixels to scroll on the shortest way: `judge`, until each of the words and each of the controls has been in
// view, one after the other; `read`, until the word at the end of the answer is.
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
                return {element, area: () => range.getBoundingClientRect()};
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
        return {element, area, inside: atEnd ? element.scrollHeight : 0};
    };

    const scroll = (box, by) => {
        const before = box.scrollTop;
        if (!scrolled.has(box)) scrolled.set(box, before);
        box.scrollTop += by;
        return Math.abs(box.scrollTop - before);
    };

    const boxesAround = element => {
        const boxes = [];
        for (let box = element.parentElement; box; box = box.parentElement)
            if (/auto|scroll/.test(getComputedStyle(box).overflowY)) boxes.push(box);
        return boxes;
    };

    const isInFront = ({element, area}) => {
        const {top, bottom, left, right} = area();
        return [top + 1, bottom - 1].every(y => {
            const found = document.elementFromPoint((left + right) / 2, y);
            return found && (element.contains(found) || found.contains(element));
        });
    };

    const show = place => {
        const {element, area, inside = 0} = place;
        let way = scroll(element, inside);
        const boxes = boxesAround(element);
        for (const box of boxes) {
            const view = box.getBoundingClientRect();
            const {top, bottom} = area();
            if (top < view.top) way += scroll(box, Math.floor(top - view.top));
            else if (bottom > view.bottom) way += scroll(box, Math.ceil(bottom - view.bottom));
        }
        // Something may lie over it, as Label Studio's bar at the bottom does.
        while (!isInFront(place)) {
            const by = area().top > innerHeight / 2 ? 1 : -1;
            const step = boxes.reduce((done, box) => done || scroll(box, by), 0);
            if (!step) throw new Error(`Something hides this: ${element.outerHTML}`);
            way += step;
        }
        return way;
    };

    const wayTo = places => {
        const way = places.reduce((sum, place) => sum + show(place), 0);
        for (const [box, top] of scrolled) box.scrollTop = top;
        return way;
    };
    const judged = controls.map(element => ({element, area: () => element.getBoundingClientRect()}));
    return {
        judge: wayTo([...words.map(word => placeOf(word)), ...judged]),
        read: wayTo([placeOf(end, true)]),
    };
}
