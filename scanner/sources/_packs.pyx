# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The inner loops of reading packs: the index, delta trees, deltas, what is new in a result, trees compared.

A pack is hostile input. Every offset and length that is read from it is checked before it is used; what does not fit
raises `BrokenError`, and whoever asked goes to git with that object.

Sources: gitformat-pack(5), "pack-*.pack files have the following format" and "Version 2 pack-*.idx files"; tree
objects as in git's Documentation/user-manual, "The object database".
"""

from cpython.buffer cimport PyBUF_READ
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memchr, memcmp, memcpy

try:
    from isal.isal_zlib import crc32, decompress, decompressobj
except ImportError:  # no wheel for this platform
    from zlib import crc32, decompress, decompressobj

VERSION = 2

cdef enum:
    COMMIT = 1
    TREE = 2
    BLOB = 3
    TAG = 4
    OFS_DELTA = 6
    REF_DELTA = 7
    UNKNOWN = 8     # its base is not known yet
    BROKEN = 9      # it cannot be read by us
    CIRCLE = 10     # it is made from itself, in the end: git would look for its base for ever

ctypedef const uint8_t *Bytes

cdef uint32_t NONE = 0xFFFFFFFF
cdef uint64_t HEAVIEST = 0x7FFFFFFF
cdef uint64_t ONE_SHOT = 1 << 16    # compressed bytes that are inflated at once: they give 66 MB at most


class BrokenError(Exception):
    """Something in a pack is not as the format says, or larger than it says."""


cdef struct Node:
    # One object of a pack, 32 bytes. Nodes are in the order of the pack.
    uint64_t offset
    uint32_t place      # in the index
    uint32_t base       # the node that it is a delta of, or NONE
    uint32_t child      # the first delta of it
    uint32_t sibling    # the next delta of its base
    uint32_t weight     # compressed bytes of it and all that is made from it, in units of 64
    uint8_t kind

cdef struct Run:
    # A part of a result: `size` bytes at `at`, copied from `source` in the base.
    uint32_t at
    uint32_t size
    uint32_t source

cdef struct Hint:
    uint32_t offset
    uint16_t index
    uint8_t state       # what is known of it

cdef enum:      # as in model.py
    UNTOLD = 0
    QUIET = 1   # no reason to search a result, but what is shown of a neighbour is masked there
    DEAD = 2
    LIVE = 3


cdef int by_offset(const void *a, const void *b) noexcept nogil:
    cdef uint64_t one = (<const Node *> a).offset, other = (<const Node *> b).offset
    return -1 if one < other else one > other


cdef int by_place(const void *a, const void *b) noexcept nogil:
    cdef const Hint *one = <const Hint *> a
    cdef const Hint *other = <const Hint *> b
    if one.offset != other.offset:
        return -1 if one.offset < other.offset else 1
    if one.index != other.index:
        return -1 if one.index < other.index else 1
    return other.state - one.state    # the one of which something is known comes first


cdef inline uint32_t big32(const uint8_t *p) noexcept nogil:
    return (<uint32_t> p[0] << 24) | (<uint32_t> p[1] << 16) | (<uint32_t> p[2] << 8) | p[3]


cdef inline uint64_t big64(const uint8_t *p) noexcept nogil:
    return (<uint64_t> big32(p) << 32) | big32(p + 4)


cdef uint32_t[8][256] remainders     # of CRC-32, for a byte and up to seven bytes behind it


cdef int divide() noexcept:
    cdef uint32_t byte, value
    cdef int i
    for byte in range(256):
        value = byte
        for i in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
        remainders[0][byte] = value
    for byte in range(256):
        for i in range(1, 8):
            value = remainders[i - 1][byte]
            remainders[i][byte] = (value >> 8) ^ remainders[0][value & 255]
    return 0


divide()


cdef uint32_t short_crc(const uint8_t *p, uint64_t size) noexcept nogil:
    """CRC-32, eight bytes at a time: of what is so short that to call anybody else costs more."""
    cdef uint32_t crc = 0xFFFFFFFF
    while size >= 8:
        crc ^= p[0] | (<uint32_t> p[1] << 8) | (<uint32_t> p[2] << 16) | (<uint32_t> p[3] << 24)
        crc = (
            remainders[7][crc & 255] ^ remainders[6][crc >> 8 & 255] ^ remainders[5][crc >> 16 & 255]
            ^ remainders[4][crc >> 24] ^ remainders[3][p[4]] ^ remainders[2][p[5]] ^ remainders[1][p[6]]
            ^ remainders[0][p[7]]
        )
        p += 8
        size -= 8
    while size:
        crc = (crc >> 8) ^ remainders[0][(crc ^ p[0]) & 255]
        p += 1
        size -= 1
    return ~crc


cdef class Pack:
    """A pack and its index, mapped into memory by the caller (anything that gives its bytes, and stays as it is).

    What it has is known at once; what it is made of, and all else, once `grow` was called.
    """

    cdef readonly uint32_t count
    cdef readonly int id_length
    cdef object _pack_view
    cdef const uint8_t[::1] _pack, _index
    cdef const uint8_t *pack
    cdef const uint8_t *ids
    cdef const uint8_t *crcs
    cdef const uint8_t *small
    cdef const uint8_t *large
    cdef const uint8_t *fanout
    cdef uint64_t larges, end
    cdef bint circles
    cdef Node *nodes
    cdef uint32_t *steps    # for each 2**step bytes of the pack the first node that begins there or behind
    cdef int step

    def __cinit__(self, pack, index, int id_length):
        """`id_length` is 20 or 32 bytes. Raise BrokenError where the index is not as it should be."""
        cdef uint64_t size, wanted
        cdef uint32_t i, previous = 0, here
        self._pack_view = memoryview(pack)
        self._pack, self._index = pack, index
        self.id_length = id_length
        if self._pack.shape[0] < 12 + id_length or self._index.shape[0] < 8 + 1024 + 2 * id_length:
            raise BrokenError("is too short")
        self.pack = &self._pack[0]
        self.end = <uint64_t> self._pack.shape[0] - id_length
        cdef const uint8_t *at = &self._index[0]
        if big32(at) != 0xFF744F63 or big32(at + 4) != 2:
            raise BrokenError("is no index of version 2")
        if big32(self.pack) != 0x5041434B or not 2 <= big32(self.pack + 4) <= 3:
            raise BrokenError("is no pack of version 2")
        self.fanout = at + 8
        for i in range(256):
            here = big32(self.fanout + 4 * i)
            if here < previous:
                raise BrokenError("has an index whose parts contradict each other")
            previous = here
        self.count = previous
        if big32(self.pack + 8) != self.count or self.count >= NONE - 1:
            raise BrokenError("has another number of objects than its index")
        size = self._index.shape[0]
        wanted = 8 + 1024 + <uint64_t> self.count * (id_length + 8) + 2 * id_length
        if size < wanted or (size - wanted) % 8:
            raise BrokenError("has an index of the wrong length")
        self.larges = (size - wanted) // 8
        self.ids = at + 8 + 1024
        self.crcs = self.ids + <uint64_t> self.count * id_length
        self.small = self.crcs + <uint64_t> self.count * 4
        self.large = self.small + <uint64_t> self.count * 4
        for i in range(self.count):
            here = self.ids[<uint64_t> i * id_length]
            if i >= big32(self.fanout + 4 * here) or (here and i < big32(self.fanout + 4 * (here - 1))):
                raise BrokenError("has an index whose parts contradict each other")
        for i in range(1, self.count):
            if memcmp(self.ids + <uint64_t> (i - 1) * id_length, self.ids + <uint64_t> i * id_length, id_length) >= 0:
                raise BrokenError("has an index that is not sorted")

    def grow(self) -> None:
        """Read the headers of all entries, if that was not done; BrokenError where the index does not fit the pack."""
        if self.nodes != NULL:
            return
        self.nodes = <Node *> calloc(self.count + 1, sizeof(Node))
        if self.nodes == NULL:
            raise MemoryError
        try:
            self._read_index()
            self._read_headers()
            self._grow_trees()
        except BaseException:
            free(self.nodes)
            free(self.steps)
            self.nodes, self.steps, self.circles = NULL, NULL, False
            raise

    cdef int _needs_to_be_grown(self) except -1:
        if self.nodes == NULL:
            raise BrokenError("was not read")
        return 0

    def __dealloc__(self):
        free(self.nodes)
        free(self.steps)

    # --- the index ----------------------------------------------------------------------------------------------------

    cdef uint64_t _offset_of(self, uint32_t place) except? 0:
        cdef uint64_t offset = big32(self.small + 4 * <uint64_t> place)
        if offset & 0x80000000:
            offset &= 0x7FFFFFFF
            if offset >= self.larges:
                raise BrokenError("has an index that points outside of itself")
            offset = big64(self.large + 8 * offset)
        if offset < 12 or offset >= self.end:
            raise BrokenError("has an index that points outside of the pack")
        return offset

    cdef int _read_index(self) except -1:
        cdef uint32_t i
        for i in range(self.count):
            self.nodes[i].offset = self._offset_of(i)
            self.nodes[i].place = i
        qsort(self.nodes, self.count, sizeof(Node), by_offset)
        self.nodes[self.count].offset = self.end
        return self._count_steps()

    cdef int _count_steps(self) except -1:
        """Fewer steps than an eighth of the objects: so that a node is found by its offset in a few looks."""
        cdef uint64_t place, many
        cdef uint32_t i = 0
        while (self.end >> self.step) > self.count // 8 + 1:
            self.step += 1
        many = (self.end >> self.step) + 2
        self.steps = <uint32_t *> malloc(many * sizeof(uint32_t))
        if self.steps == NULL:
            raise MemoryError
        for place in range(many):
            while i < self.count and self.nodes[i].offset < place << self.step:
                i += 1
            self.steps[place] = i
        return 0

    cdef uint32_t _at(self, uint64_t offset) noexcept nogil:
        """The node that begins at an offset, or NONE."""
        cdef uint32_t low, high, middle
        if offset >= self.end:
            return NONE
        low, high = self.steps[offset >> self.step], self.steps[(offset >> self.step) + 1]
        while low < high:
            middle = low + (high - low) // 2
            if self.nodes[middle].offset < offset:
                low = middle + 1
            else:
                high = middle
        return low if low < self.count and self.nodes[low].offset == offset else NONE

    cdef uint32_t _place_of(self, const uint8_t *name) noexcept nogil:
        cdef uint32_t low = big32(self.fanout + 4 * (name[0] - 1)) if name[0] else 0
        cdef uint32_t high = big32(self.fanout + 4 * name[0]), middle
        cdef int order
        while low < high:
            middle = low + (high - low) // 2
            order = memcmp(self.ids + <uint64_t> middle * self.id_length, name, self.id_length)
            if order == 0:
                return middle
            if order < 0:
                low = middle + 1
            else:
                high = middle
        return NONE

    cdef uint32_t _named(self, const uint8_t *name) except? 0xFFFFFFFE:
        cdef uint32_t place = self._place_of(name)
        return NONE if place == NONE else self._at(self._offset_of(place))

    def __contains__(self, bytes name) -> bool:
        """Whether it has the object of this binary name, other than in a circle."""
        cdef const uint8_t *p = <const uint8_t *> PyBytes_AS_STRING(name)
        if len(name) != self.id_length or self._place_of(p) == NONE:
            return False
        return not self.circles or self.nodes[self._named(p)].kind != CIRCLE

    cdef bytes _name(self, uint32_t node):
        cdef uint64_t at = <uint64_t> self.nodes[node].place * self.id_length
        return PyBytes_FromStringAndSize(<const char *> self.ids + at, self.id_length)

    def names(self, int kind) -> bytes:
        """The binary names of all objects of a kind (1 commit, 2 tree, 3 blob, 4 tag), joined, in the pack's order."""
        cdef uint32_t i
        cdef uint64_t at
        self._needs_to_be_grown()
        out = bytearray()
        for i in range(self.count):
            if self.nodes[i].kind == kind:
                at = <uint64_t> self.nodes[i].place * self.id_length
                out += <bytes> (<const char *> self.ids)[at : at + self.id_length]
        return bytes(out)

    def all_names(self) -> bytes:
        """The binary names of all objects, sorted and joined."""
        return PyBytes_FromStringAndSize(<const char *> self.ids, <Py_ssize_t> self.count * self.id_length)

    def broken(self) -> bytes:
        """The names of the objects that cannot be read here, joined."""
        return self.names(BROKEN)

    def circular(self) -> bytes:
        """The names of the objects that are made from themselves, joined: git must not be asked for them."""
        return self.names(CIRCLE)

    # --- headers and delta trees --------------------------------------------------------------------------------------

    cdef int _header(self, uint32_t node, uint8_t *kind, uint64_t *size, uint64_t *base) noexcept nogil:
        """Length of an entry's header, its kind, its size, and for a delta the offset of its base (0: it is named).

        -1 for what is no entry.
        """
        cdef uint64_t at = self.nodes[node].offset, end = self.nodes[node + 1].offset, back
        cdef uint8_t byte
        cdef int shift = 4
        if at >= end:
            return -1
        byte = self.pack[at]
        at += 1
        kind[0] = (byte >> 4) & 7
        size[0] = byte & 15
        while byte & 0x80:
            if at >= end or shift > 57:
                return -1
            byte = self.pack[at]
            at += 1
            size[0] |= <uint64_t> (byte & 0x7F) << shift
            shift += 7
        base[0] = 0
        if kind[0] == OFS_DELTA:
            if at >= end:
                return -1
            byte = self.pack[at]
            at += 1
            back = byte & 0x7F
            while byte & 0x80:
                if at >= end or back >> 56:
                    return -1
                byte = self.pack[at]
                at += 1
                back = ((back + 1) << 7) | (byte & 0x7F)
            if back == 0 or back >= self.nodes[node].offset:
                return -1
            base[0] = self.nodes[node].offset - back
        elif kind[0] == REF_DELTA:
            if end - at < <uint64_t> self.id_length:
                return -1
            at += self.id_length
        return <int> (at - self.nodes[node].offset)

    cdef int _read_headers(self) except -1:
        cdef uint32_t i, base
        cdef uint64_t size, offset
        cdef int length
        cdef Node *node
        for i in range(self.count):
            node = &self.nodes[i]
            node.base = node.child = node.sibling = NONE
            length = self._header(i, &node.kind, &size, &offset)
            if length < 0 or node.kind == 0 or node.kind == 5:
                node.kind = BROKEN
                continue
            if node.kind == TREE and not self._sound(i):
                node.kind = BROKEN
            if node.kind < OFS_DELTA or node.kind == BROKEN:
                continue
            if node.kind == OFS_DELTA:
                base = self._at(offset)
            else:
                base = self._named(self.pack + node.offset + length - self.id_length)
            node.base = base
            node.kind = BROKEN if base == NONE else UNKNOWN
            if node.kind == BROKEN:
                node.base = NONE
        return 0

    cdef int _grow_trees(self) except -1:
        """Kind of every delta, children of every base, weights. What goes round in a circle has no kind."""
        cdef uint32_t i, at
        cdef uint8_t kind
        for i in range(self.count):
            if self.nodes[i].kind != UNKNOWN:
                continue
            at, kind = i, UNKNOWN
            while self.nodes[at].kind == UNKNOWN:
                self.nodes[at].kind = UNKNOWN + 8    # on the way
                at = self.nodes[at].base
            kind = self.nodes[at].kind
            if kind == UNKNOWN + 8:
                kind = CIRCLE
            self.circles = self.circles or kind == CIRCLE
            at = i
            while self.nodes[at].kind == UNKNOWN + 8:
                self.nodes[at].kind = kind
                at = self.nodes[at].base
        for i in range(self.count):
            if self.nodes[i].base != NONE and self.nodes[i].kind < OFS_DELTA:
                at = self.nodes[i].base
                self.nodes[i].sibling = self.nodes[at].child
                self.nodes[at].child = i
        for i in range(self.count):
            if self.nodes[i].base != NONE and self.nodes[i].kind == TREE and not self._sound(i):
                self._spoil(i)
        for i in range(self.count):
            if self.nodes[i].base == NONE and self.nodes[i].kind < OFS_DELTA:
                self._weigh(i)
        return 0

    def damaged(self, uint32_t node) -> bool:
        """Whether it is the entry itself that is to blame, and what it says about itself not to be believed."""
        self._needs_to_be_grown()
        return node >= self.count or not self._sound(node)

    cdef bint _sound(self, uint32_t node) except -1:
        """Whether the bytes of an entry are what they were when the index was written.

        Trees are asked at once, others when they are read: what a flipped bit made a tree would not be read at all.
        """
        cdef uint64_t start = self.nodes[node].offset, end = self.nodes[node + 1].offset
        cdef uint32_t told = big32(self.crcs + 4 * <uint64_t> self.nodes[node].place)
        if end - start < 2048:
            return short_crc(self.pack + start, end - start) == told
        return crc32(self._pack_view[start:end]) == told

    cdef int _spoil(self, uint32_t root) noexcept nogil:
        """An object, and all that is made from it, cannot be read."""
        cdef uint32_t at = root
        while at != NONE:
            self.nodes[at].kind = BROKEN
            at = self._after(at, root)
        return 0

    cdef uint32_t _after(self, uint32_t at, uint32_t root) noexcept nogil:
        """The node that follows another one in its tree, deltas behind what they are made from; NONE at the end."""
        if self.nodes[at].child != NONE:
            return self.nodes[at].child
        while at != root and self.nodes[at].sibling == NONE:
            at = self.nodes[at].base
        return NONE if at == root else self.nodes[at].sibling

    cdef int _weigh(self, uint32_t root) noexcept nogil:
        """Weights of a tree, from the leaves up: without a stack, as every node knows its base."""
        cdef uint32_t at = root
        while True:
            self.nodes[at].weight = self._own_weight(at)
            while self.nodes[at].child != NONE:
                at = self.nodes[at].child
                self.nodes[at].weight = self._own_weight(at)
            while at != root:
                self._add_weight(self.nodes[at].base, self.nodes[at].weight)
                if self.nodes[at].sibling != NONE:
                    at = self.nodes[at].sibling
                    break
                at = self.nodes[at].base
            if at == root:
                return 0

    cdef uint32_t _own_weight(self, uint32_t node) noexcept nogil:
        """What an entry weighs by itself: something for being there, and its bytes."""
        cdef uint64_t weight = (self.nodes[node + 1].offset - self.nodes[node].offset + 319) >> 6
        return <uint32_t> min(weight, HEAVIEST)

    cdef int _add_weight(self, uint32_t node, uint32_t more) noexcept nogil:
        self.nodes[node].weight = <uint32_t> min(<uint64_t> self.nodes[node].weight + more, HEAVIEST)
        return 0

    def roots(self, int kind):
        """(root, weight) of each delta tree of a kind; the weight is in units of 64 compressed bytes."""
        cdef uint32_t i
        self._needs_to_be_grown()
        for i in range(self.count):
            if self.nodes[i].kind == kind and self.nodes[i].base == NONE:
                yield i, self.nodes[i].weight

    def family(self, uint32_t root) -> bytes:
        """The names of an object and of all that is made from it, joined."""
        cdef uint32_t at = root
        cdef list out = []
        self._needs_to_be_grown()
        if root >= self.count:
            raise BrokenError("has no such object")
        while at != NONE:
            out.append(self._name(at))
            at = self._after(at, root)
        return b"".join(out)

    # --- content ------------------------------------------------------------------------------------------------------

    cdef bytes _inflate(self, uint32_t node, uint64_t most):
        """The entry's content: of a delta its instructions. BrokenError where anything is not as it should be, and for
        more instructions than a result of `most` bytes is worth."""
        cdef uint64_t size, base, start, end
        cdef Node *here = &self.nodes[node]
        cdef uint8_t kind
        cdef int length = self._header(node, &kind, &size, &base)
        end = self.nodes[node + 1].offset
        start = here.offset + length
        if length < 0 or start >= end:
            raise BrokenError("entry without content")
        if size > most + 64:
            raise BrokenError("entry longer than the limit")
        if here.kind != TREE and not self._sound(node):     # trees were asked when the pack was opened
            raise BrokenError("entry whose checksum is wrong")
        raw = PyMemoryView_FromMemory(<char *> self.pack + start, end - start, PyBUF_READ)
        try:
            if end - start <= ONE_SHOT:
                content = decompress(raw, 15, size + 1)
            else:
                content = decompressobj().decompress(raw, size + 1)
        except Exception as e:
            raise BrokenError("entry that cannot be inflated") from e
        if <uint64_t> len(content) != size:
            raise BrokenError("entry of the wrong length")
        return content

    cdef bytes read(self, uint32_t node, Cache cache, uint64_t most):
        """The content of any object, through its bases; BrokenError where it is larger than `most` or damaged."""
        cdef list chain = []
        cdef uint32_t at = node
        content = None
        while True:
            content = cache.get(self, at)
            if content is not None:
                break
            if self.nodes[at].base == NONE:
                break
            chain.append(at)
            at = self.nodes[at].base
            if len(chain) > 10000:
                raise BrokenError("delta chain without end")
        if content is None:
            if self.nodes[at].kind >= OFS_DELTA or self._entry_size(at) > most:
                raise BrokenError("object that cannot be read")
            content = self._inflate(at, most)
            cache.put(self, at, content)
        while chain:
            at = chain.pop()
            content = apply(self._inflate(at, most), content, most, None)
            cache.work += PyBytes_GET_SIZE(content)
            cache.put(self, at, content)
        return content

    cdef uint64_t _entry_size(self, uint32_t node):
        cdef uint64_t size = 0, base
        cdef uint8_t kind
        self._header(node, &kind, &size, &base)
        return size


cdef enum:
    SLOTS = 1 << 14


cdef class Cache:
    """Contents of objects that were read, one in each of its slots, up to so many bytes."""

    cdef list _contents, _owners
    cdef uint32_t[SLOTS] _nodes
    cdef uint32_t _hand
    cdef uint64_t _bytes, _most
    cdef uint64_t work
    """Bytes of all results that were put together."""

    def __cinit__(self, uint64_t most):
        self._contents, self._owners, self._most = [None] * SLOTS, [None] * SLOTS, most

    cdef uint32_t _slot(self, uint32_t node) noexcept nogil:
        return (node * <uint32_t> 2654435761) >> 18

    cdef bytes get(self, Pack pack, uint32_t node):
        cdef uint32_t slot = self._slot(node)
        return self._contents[slot] if self._nodes[slot] == node and self._owners[slot] is pack else None

    cdef int put(self, Pack pack, uint32_t node, bytes content) except -1:
        cdef uint32_t slot = self._slot(node)
        if <uint64_t> PyBytes_GET_SIZE(content) > self._most // 4:
            return 0
        self._empty(slot)
        self._contents[slot], self._owners[slot], self._nodes[slot] = content, pack, node
        self._bytes += PyBytes_GET_SIZE(content)
        while self._bytes > self._most:
            self._hand = (self._hand + 1) % SLOTS
            self._empty(self._hand)
        return 0

    cdef int _empty(self, uint32_t slot) except -1:
        cdef bytes old = self._contents[slot]
        if old is not None:
            self._bytes -= PyBytes_GET_SIZE(old)
            self._contents[slot] = self._owners[slot] = None
        return 0


# --- deltas -----------------------------------------------------------------------------------------------------------


cdef class Runs:
    """What of a result was copied from its base, in order; neighbours that are neighbours in the base are one."""

    cdef Run *at
    cdef uint32_t count, room

    def __dealloc__(self):
        free(self.at)

    cdef int add(self, uint32_t place, uint32_t size, uint32_t source) except -1:
        cdef Run *last
        if self.count:
            last = &self.at[self.count - 1]
            if last.at + last.size == place and last.source + last.size == source:
                last.size += size
                return 0
        if self.count == self.room:
            self.room = 2 * self.room + 8
            last = <Run *> realloc(self.at, self.room * sizeof(Run))
            if last == NULL:
                self.room = self.count
                raise MemoryError
            self.at = last
        self.at[self.count].at, self.at[self.count].size, self.at[self.count].source = place, size, source
        self.count += 1
        return 0


cdef int varint(const uint8_t *p, uint64_t *at, uint64_t end, uint64_t *value) except -1:
    cdef int shift = 0
    cdef uint8_t byte = 0x80
    value[0] = 0
    while byte & 0x80:
        if at[0] >= end or shift > 56:
            raise BrokenError("delta with a size that does not end")
        byte = p[at[0]]
        at[0] += 1
        value[0] |= <uint64_t> (byte & 0x7F) << shift
        shift += 7
    return 0


def result_size(bytes delta) -> int:
    """How long the result of a delta says that it is."""
    cdef uint64_t at = 0, base, size
    cdef const uint8_t *p = <const uint8_t *> PyBytes_AS_STRING(delta)
    varint(p, &at, PyBytes_GET_SIZE(delta), &base)
    varint(p, &at, PyBytes_GET_SIZE(delta), &size)
    return size


cdef bytes apply(bytes delta, bytes base, uint64_t most, Runs runs):
    """The result of a delta; what was copied goes into `runs`. BrokenError for what does not fit, or is too long."""
    cdef const uint8_t *p = <const uint8_t *> PyBytes_AS_STRING(delta)
    cdef const char *source = PyBytes_AS_STRING(base)
    cdef uint64_t at = 0, end = PyBytes_GET_SIZE(delta), base_size, size, done = 0, offset, length
    cdef uint8_t op
    cdef int bit
    cdef char *out
    varint(p, &at, end, &base_size)
    varint(p, &at, end, &size)
    if base_size != <uint64_t> PyBytes_GET_SIZE(base):
        raise BrokenError("delta of another base")
    if size > most or size >= NONE:
        raise BrokenError("delta with too long a result")
    result = PyBytes_FromStringAndSize(NULL, size)
    out = PyBytes_AS_STRING(result)
    while at < end:
        op = p[at]
        at += 1
        if op & 0x80:
            offset = length = 0
            for bit in range(7):    # four bytes of the offset, three of the length, each there or not
                if op >> bit & 1:
                    if at >= end:
                        raise BrokenError("delta that ends in an instruction")
                    if bit < 4:
                        offset |= <uint64_t> p[at] << (8 * bit)
                    else:
                        length |= <uint64_t> p[at] << (8 * (bit - 4))
                    at += 1
            if length == 0:
                length = 0x10000
            if offset + length > base_size or length > size - done:
                raise BrokenError("delta that copies from outside of its base")
            memcpy(out + done, source + offset, length)
            if runs is not None:
                runs.add(<uint32_t> done, <uint32_t> length, <uint32_t> offset)
        elif op:
            length = op
            if length > end - at or length > size - done:
                raise BrokenError("delta that inserts more than it has")
            memcpy(out + done, p + at, length)
            at += length
        else:
            raise BrokenError("delta with an unknown instruction")
        done += length
    if done != size:
        raise BrokenError("delta that ends too soon")
    return result


# --- what commits say ---------------------------------------------------------------------------------------------------

cdef enum:
    MOST_PARENTS = 100
    MOST_HEARD = 16 << 20   # bytes that one walk keeps of what commits say
    LARGEST_COMMIT = 1 << 20

cdef int64_t LATEST = (<int64_t> 1 << 40) - 1   # what says that it is later is hostile


cdef bint say(bytes text, int width, bytearray said) except -1:
    """Add what a commit says of itself: its date in 8 bytes, the number of parents in 2, then the names of its tree and
    of these. False for what is no commit as it should be: versions of git differ in what they make of it.

    Source: git's Documentation/user-manual, "Commit Object".
    """
    cdef const uint8_t *p = <const uint8_t *> PyBytes_AS_STRING(text)
    cdef uint64_t at, end = PyBytes_GET_SIZE(text), line = 2 * <uint64_t> width + 1
    cdef uint8_t[10 + 32] head
    cdef uint8_t[32] name
    cdef uint32_t many = 0
    cdef int64_t date = 0
    cdef uint64_t stop
    cdef int i
    if end <= 5 + line or memcmp(p, b"tree ", 5) or not hexadecimal(p + 5, width, head + 10):
        return False
    at = 5 + line
    while end - at >= 7 + line and memcmp(p + at, b"parent ", 7) == 0:
        many += 1
        at += 7 + line
    if many > MOST_PARENTS or at == end:    # git wants something behind the last parent
        return False
    if end - at < 7 or memcmp(p + at, b"author ", 7):
        return False
    at = behind(p, at, end, 10)
    if end - at < 10 or memcmp(p + at, b"committer ", 10):
        return False
    stop = behind(p, at, end, 10)
    at = behind(p, at, stop, 62)
    if stop == end or stop - at < 3 or behind(p, at, stop, 62) != stop or p[at] != 32 or not 48 <= p[at + 1] <= 57:
        return False
    at += 1
    while 48 <= p[at] <= 57:    # up to the newline at the latest
        date = min(LATEST, 10 * date + p[at] - 48)
        at += 1
    for i in range(8):
        head[i] = <uint8_t> (date >> (8 * (7 - i)))
    head[8], head[9] = <uint8_t> (many >> 8), <uint8_t> many
    begin = len(said)
    said += (<const char *> head)[: 10 + width]
    for i in range(<int> many):
        if not hexadecimal(p + 5 + line + i * (7 + line) + 7, width, name):
            del said[begin:]
            return False
        said += (<const char *> name)[:width]
    return True


cdef bint hexadecimal(const uint8_t *p, int width, uint8_t *out) noexcept nogil:
    """A name of `width` bytes in small hexadecimal digits with a newline behind it."""
    cdef int i, digit
    for i in range(2 * width):
        digit = p[i] - 48 if 48 <= p[i] <= 57 else p[i] - 87 if 97 <= p[i] <= 102 else -1
        if digit < 0:
            return False
        out[i >> 1] = <uint8_t> ((out[i >> 1] << 4 if i & 1 else 0) | digit)
    return p[2 * width] == 10


cdef uint64_t behind(const uint8_t *p, uint64_t at, uint64_t end, int byte) noexcept nogil:
    """Behind the next such byte; the end where there is none."""
    cdef const uint8_t *found = <const uint8_t *> memchr(p + at, byte, end - at)
    return end if found == NULL else <uint64_t> (found - p) + 1


# --- the walk ---------------------------------------------------------------------------------------------------------


cdef enum:
    MOST_KNOWN = 20000      # surroundings of hints that are kept; when there are more, all are forgotten
    LONGEST_KNOWN = 2048    # bytes of one


cdef uint64_t alive = 0     # bytes of all results that are held


cdef class _Held:
    """A result that waits for what the matcher says of its new parts."""

    cdef uint32_t node
    cdef bytes content
    cdef uint64_t size      # as it is counted in `alive`
    cdef bint wide          # it may be UTF-16
    cdef bint silent        # it is searched elsewhere
    cdef _Held base         # None for a root
    cdef Runs runs
    cdef Hint *hints
    cdef uint32_t count, room
    cdef uint32_t lives, untold     # hints that are LIVE, and those of which nothing is known
    cdef bint more          # something was taken at a hint that the base does not have
    cdef object clusters    # [(start, end)] of what decides what was found, as `Hinted` has it; or None
    cdef object kept        # whatever the caller keeps of that

    def __dealloc__(self):
        global alive
        free(self.hints)
        alive -= self.size

    cdef int add(self, uint32_t offset, uint16_t index, uint8_t state) except -1:
        cdef Hint *more
        if self.count == self.room:
            self.room = 2 * self.room + 8
            more = <Hint *> realloc(self.hints, self.room * sizeof(Hint))
            if more == NULL:
                self.room = self.count
                raise MemoryError
            self.hints = more
        self.hints[self.count].offset, self.hints[self.count].index = offset, index
        self.hints[self.count].state = state
        self.count += 1
        return 0

    cdef int inherit(self, _Held base, Runs runs, uint32_t[::1] before, uint32_t[::1] behind) except -1:
        """The hints of the base that lie in what was copied, moved. What is known of one stays true where all its
        surroundings were copied with it."""
        cdef Hint *old = base.hints
        cdef uint32_t many = base.count, r, low, high, middle
        cdef Run *run
        cdef bint same
        cdef Hint *hint
        if not many:
            return 0
        for r in range(runs.count):
            run = &runs.at[r]
            low, high = 0, many
            while low < high:
                middle = low + (high - low) // 2
                if old[middle].offset < run.source:
                    low = middle + 1
                else:
                    high = middle
            while low < many and old[low].offset - run.source < run.size:
                hint = &old[low]
                same = (
                    hint.state != UNTOLD
                    and hint.offset - run.source >= before[hint.index]
                    and run.source + run.size - hint.offset > behind[hint.index]
                )
                self.add(hint.offset - run.source + run.at, hint.index, hint.state if same else UNTOLD)
                low += 1
        return 0

    cdef int recall(self, uint32_t[::1] before, uint32_t[::1] behind, dict known) except -1:
        """What is known of the new hints from the same surroundings elsewhere."""
        cdef uint32_t i
        for i in range(self.count):
            if self.hints[i].state == UNTOLD:
                around = self._around(&self.hints[i], before, behind)
                if around is not None:
                    self.hints[i].state = known.get(around, UNTOLD)
                    self.more = self.more or self.hints[i].state == QUIET or self.hints[i].state == LIVE
        return 0

    cdef bint counts(self) noexcept:
        """Whether there are hints that are LIVE, or of which nothing is known: both are counted."""
        cdef uint32_t i
        self.lives = self.untold = 0
        for i in range(self.count):
            self.lives += self.hints[i].state == LIVE
            self.untold += self.hints[i].state == UNTOLD
        return self.lives > 0 or self.untold > 0

    cdef list shifts(self, _Held base, Runs runs):
        """How far each cluster of the base has moved, if all of them were copied whole and nothing else is to be found;
        else None."""
        cdef int64_t low, high, base_size = PyBytes_GET_SIZE(base.content), size = PyBytes_GET_SIZE(self.content)
        cdef Run *run
        cdef uint32_t r
        cdef list out = []
        if base.clusters is None or self.wide or self.more or self.untold or self.lives != base.lives:
            return None
        for low, high in base.clusters:
            for r in range(runs.count):
                run = &runs.at[r]
                if (
                    run.source <= max(low, 0)
                    and <int64_t> run.source + run.size >= min(high, base_size)
                    and (low >= 0 or (run.source == 0 and run.at == 0))
                    and (high <= base_size or <int64_t> run.at + run.size == size)
                ):
                    out.append(<int64_t> run.at - run.source)
                    break
            else:
                return None
        self.clusters = [(low + shift, high + shift) for (low, high), shift in zip(base.clusters, out)]
        return out

    cdef int remember(self, Hint *hint, uint32_t[::1] before, uint32_t[::1] behind, dict known) except -1:
        """Keep what is known of a hint for the same surroundings elsewhere."""
        around = self._around(hint, before, behind)
        if around is not None:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[around] = hint.state
        return 0

    cdef bytes _around(self, Hint *hint, uint32_t[::1] before, uint32_t[::1] behind):
        """What a hint is for, and its surroundings; None where these are long, or not all there."""
        cdef uint64_t low = before[hint.index], length = low + behind[hint.index]
        if length > LONGEST_KNOWN or hint.offset < low:
            return None
        if hint.offset - low + length > <uint64_t> PyBytes_GET_SIZE(self.content):
            return None
        around = PyBytes_FromStringAndSize(NULL, length + 2)
        memcpy(PyBytes_AS_STRING(around), &hint.index, 2)
        memcpy(PyBytes_AS_STRING(around) + 2, PyBytes_AS_STRING(self.content) + hint.offset - low, length)
        return around

    cdef int tidy(self) noexcept:
        """Sort the hints, each once."""
        cdef uint32_t i, kept = 0
        if self.count < 2:
            return 0
        qsort(self.hints, self.count, sizeof(Hint), by_place)
        for i in range(1, self.count):
            if self.hints[i].offset != self.hints[kept].offset or self.hints[i].index != self.hints[kept].index:
                kept += 1
                self.hints[kept] = self.hints[i]
        self.count = kept + 1
        return 0


cdef class Walk:
    """Goes through delta trees of a pack, depth first, and gathers what is new in each result.

    `look(buffer)` gives the hints of a matcher, none of which needs more than `reach` bytes before its offset to be
    seen; `before` and `behind` say for each index how many bytes around a hint decide what its detector takes there.
    """

    cdef Pack _pack
    cdef object _look
    cdef uint32_t _reach
    cdef uint64_t _most, _hold, _alive
    cdef uint32_t[::1] _before, _behind
    cdef list _held, _others
    cdef dict _known
    cdef uint64_t _held_bytes, _count, _total
    cdef char *_buffer
    cdef uint64_t _used, _room
    cdef uint64_t *_starts      # of each window in the buffer
    cdef uint32_t *_owners      # the held result that it belongs to
    cdef uint32_t *_offsets     # where it stands there
    cdef uint32_t _windows, _window_room
    cdef readonly uint64_t searched
    """Bytes given to the matcher so far."""
    cdef readonly list failed
    """Roots of what could not be read here."""
    cdef readonly list large
    """(name, size) of what is longer than the limit."""
    cdef readonly bytearray commits
    """Of each commit its name and what it says of itself, as `Commits` takes it."""

    def __cinit__(
        self,
        Pack pack,
        look,
        uint32_t reach,
        before,
        behind,
        dict known,
        *,
        uint64_t most,
        uint64_t hold,
        list others,
    ):
        """`most` bytes of a result are read, `hold` bytes wait for the matcher; what stands in `others` is not given.
        `known` is for what is known of hints by their surroundings, and may serve several walks."""
        pack._needs_to_be_grown()
        self._known = known
        self._others, self._alive = others, 16 * hold
        self._pack, self._look, self._reach, self._most, self._hold = pack, look, reach, most, hold
        self._before, self._behind = before, behind
        self._held, self.failed, self.large, self.commits = [], [], [], bytearray()
        self._room = 1 << 20
        self._buffer = <char *> malloc(self._room)
        if self._buffer == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._buffer)
        free(self._starts)
        free(self._owners)
        free(self._offsets)

    def tree(self, uint32_t root):
        """Go through one delta tree. Whenever enough is gathered, yields (count, bytes) and then a `Found` for each
        result that has hints."""
        cdef list stack = [(root, None)]
        cdef uint32_t node
        cdef _Held base, held
        if root >= self._pack.count:
            raise BrokenError("has no such object")
        while stack:
            node, base = stack.pop()
            try:
                held = self._result(node, base)
            except (BrokenError, MemoryError):
                self.failed.append(node)
                continue
            if held is None:
                continue
            base = None
            if alive > self._alive:
                self._give_up(node)
            else:
                self._push(stack, node, held)
            self._gather(held)
            held = None
            if self._used >= self._room // 2 or self._held_bytes >= self._hold:
                yield from self.flush()

    cdef int _push(self, list stack, uint32_t node, _Held held) except -1:
        """The deltas of a result, the heaviest to be looked at last: then its base is not needed any more."""
        cdef uint32_t child = self._pack.nodes[node].child, heaviest = NONE
        while child != NONE:
            if heaviest == NONE or self._pack.nodes[child].weight > self._pack.nodes[heaviest].weight:
                heaviest = child
            child = self._pack.nodes[child].sibling
        if heaviest == NONE:
            return 0
        stack.append((heaviest, held))
        child = self._pack.nodes[node].child
        while child != NONE:
            if child != heaviest:
                stack.append((child, held))
            child = self._pack.nodes[child].sibling
        return 0

    cdef _Held _result(self, uint32_t node, _Held base):
        global alive
        cdef _Held held = _Held()
        cdef bytes entry
        cdef uint64_t size
        held.node = node
        if base is None:
            size = self._pack._entry_size(node)
            if size > self._most:
                if not self._pack._sound(node):
                    raise BrokenError("entry whose checksum is wrong")
                self._too_large(node, size)
                return None
            held.content = self._pack._inflate(node, self._most)
        else:
            entry = self._pack._inflate(node, self._most)
            size = result_size(entry)
            if size > self._most:
                self._too_large(node, size)
                return None
            held.runs = Runs()
            held.content = apply(entry, base.content, self._most, held.runs)
            held.base = base
        held.size = PyBytes_GET_SIZE(held.content)
        alive += held.size
        if self._pack.nodes[node].kind == COMMIT:
            self._hear(node, held.content)
        return held

    cdef int _hear(self, uint32_t node, bytes content) except -1:
        size = len(self.commits)
        if size > MOST_HEARD:
            return 0
        self.commits += self._pack._name(node)
        if not say(content, self._pack.id_length, self.commits):
            del self.commits[size:]
        return 0

    cdef int _too_large(self, uint32_t node, uint64_t size) except -1:
        self.large.append((self._pack._name(node), size))
        return self._give_up(node)

    cdef int _give_up(self, uint32_t node) except -1:
        """Leave what is made from a result to others."""
        cdef uint32_t child = self._pack.nodes[node].child
        while child != NONE:
            self.failed.append(child)
            child = self._pack.nodes[child].sibling
        return 0

    cdef int _gather(self, _Held held) except -1:
        """Note what of a result is new, widened by the reach on both sides."""
        cdef const char *content = PyBytes_AS_STRING(held.content)
        cdef uint64_t size = PyBytes_GET_SIZE(held.content), low, high, end, start, stop
        cdef uint64_t reach = self._reach - 1, base_size
        cdef uint32_t owner = <uint32_t> len(self._held), r
        cdef Run *run
        self._held.append(held)
        self._held_bytes += size + 256
        if self._others:
            name = self._pack._name(held.node)
            for other in self._others:
                held.silent = held.silent or name in other
        if not held.silent:
            self._count += 1
            self._total += size
        held.wide = (
            memchr(content, 0, min(size, <uint64_t> 512)) != NULL
            or (size >= 2 and (memcmp(content, b"\xff\xfe", 2) == 0 or memcmp(content, b"\xfe\xff", 2) == 0))
        )
        if held.base is None:
            self._window(owner, content, 0, size)
            return 0
        base_size = PyBytes_GET_SIZE(held.base.content)
        low, high = 0, 0        # the window that is being made; none yet
        end = 0                 # of the run before
        for r in range(held.runs.count):
            run = &held.runs.at[r]
            if r or run.at or run.source:   # what begins where its base begins, begins as it did
                start = end - reach if end > reach else 0
                stop = min(size, run.at + reach)
                if high and start <= high:
                    high = stop
                else:
                    if high:
                        self._window(owner, content, low, high)
                    low, high = start, stop
            end = run.at + run.size
        if held.runs.count:
            run = &held.runs.at[held.runs.count - 1]
        if not held.runs.count or end != size or run.source + run.size != base_size:
            start = end - reach if end > reach else 0
            if not (high and start <= high):
                if high:
                    self._window(owner, content, low, high)
                low = start
            high = size
        if high:
            self._window(owner, content, low, high)
        return 0

    cdef int _window(self, uint32_t owner, const char *content, uint64_t low, uint64_t high) except -1:
        """Put a window into the buffer, behind a newline."""
        cdef uint64_t length = high - low
        if high <= low:
            return 0
        if self._used + length + 1 > self._room:
            self._room = self._used + length + 1 + (1 << 20)
            more = <char *> realloc(self._buffer, self._room)
            if more == NULL:
                raise MemoryError
            self._buffer = more
        if self._windows == self._window_room:
            self._grow()
        self._starts[self._windows], self._owners[self._windows] = self._used, owner
        self._offsets[self._windows] = <uint32_t> low
        self._windows += 1
        memcpy(self._buffer + self._used, content + low, length)
        self._used += length
        self._buffer[self._used] = 10
        self._used += 1
        return 0

    cdef int _grow(self) except -1:
        cdef uint32_t room = 2 * self._window_room + 1024
        starts = <uint64_t *> realloc(self._starts, room * sizeof(uint64_t))
        if starts == NULL:
            raise MemoryError
        self._starts = starts
        owners = <uint32_t *> realloc(self._owners, room * sizeof(uint32_t))
        if owners == NULL:
            raise MemoryError
        self._owners = owners
        offsets = <uint32_t *> realloc(self._offsets, room * sizeof(uint32_t))
        if offsets == NULL:
            raise MemoryError
        self._offsets = offsets
        self._window_room = room
        return 0

    def flush(self):
        """Have the matcher look at what was gathered, and give what has hints. Use it up before going on."""
        cdef list held = self._held
        cdef uint64_t offset
        cdef uint32_t low, high, middle, i
        cdef _Held base
        cdef Runs runs
        cdef _Held one
        cdef Py_ssize_t place
        if not held:
            return
        self.searched += self._used
        buffer = PyBytes_FromStringAndSize(self._buffer, self._used)
        for index, offset in self._look(buffer):
            low, high = 0, self._windows
            while low < high:
                middle = low + (high - low) // 2
                if self._starts[middle] <= offset:
                    low = middle + 1
                else:
                    high = middle
            if not low:
                continue
            one = <_Held> held[self._owners[low - 1]]
            offset = offset - self._starts[low - 1] + self._offsets[low - 1]
            if offset >= <uint64_t> PyBytes_GET_SIZE(one.content):   # the newline behind the window at its end
                offset = PyBytes_GET_SIZE(one.content) - 1
            one.add(<uint32_t> offset, index, UNTOLD)
        buffer = None
        self._held, self._held_bytes, self._used, self._windows = [], 0, 0, 0
        yield self._count, self._total
        self._count = self._total = 0
        for place in range(len(held)):
            one = <_Held> held[place]
            held[place] = None
            base, runs = one.base, one.runs
            one.base = one.runs = None
            if base is not None:
                one.inherit(base, runs, self._before, self._behind)
            one.tidy()
            one.recall(self._before, self._behind, self._known)
            if (one.counts() or one.wide) and not one.silent:
                yield Found(self, one, base, runs)


cdef class Found:
    """A result in which something may be found, with its hints in order of their offsets, as (index, offset, what is
    known of it). `kept` is what was kept of its base, if anything."""

    cdef readonly bytes name, content
    cdef readonly list hints
    cdef readonly object kept
    cdef Walk _walk
    cdef _Held _held, _base
    cdef Runs _runs
    cdef list _places

    def __cinit__(self, Walk walk, _Held held, _Held base, Runs runs):
        cdef uint32_t i
        self._walk, self._held, self._base, self._runs = walk, held, base, runs
        self.name, self.content = walk._pack._name(held.node), held.content
        self._places = [i for i in range(held.count) if held.hints[i].state != DEAD]
        self.hints = [(held.hints[i].index, held.hints[i].offset, held.hints[i].state) for i in self._places]
        self.kept = None if base is None else base.kept

    def learn(self, states):
        """Take what is known now of each hint. If all that was found in the base was copied, and nothing else is to be
        found here: how far each of its clusters has moved; else None."""
        cdef const uint8_t[::1] known = states
        cdef Py_ssize_t place
        cdef Hint *hint
        if known.shape[0] != len(self._places):
            raise ValueError("not as many states as hints")
        for place in range(known.shape[0]):
            hint = &self._held.hints[<uint32_t> self._places[place]]
            if hint.state == UNTOLD and known[place] != UNTOLD:
                hint.state = known[place]
                self._held.more = self._held.more or hint.state != DEAD
                self._held.remember(hint, self._walk._before, self._walk._behind, self._walk._known)
            hint.state = known[place]
        self._held.counts()
        return None if self._base is None else self._held.shifts(self._base, self._runs)

    def keep(self, clusters, kept):
        """Keep something for what is made from this result. `clusters` are the stretches that decide it; where these are
        None, those of the base, moved."""
        if clusters is not None:
            self._held.clusters = clusters
        self._held.kept = kept


# --- commits ----------------------------------------------------------------------------------------------------------


class ElsewhereError(Exception):
    """An object that is not in these packs, or not as it should be: git is to be asked."""


cdef enum:
    READ = 1        # its tree, date and parents are known
    TWICE = 2       # an earlier pack has it, too
    LISTED = 4
    HIDDEN = 8
    SEEN = 16
    LATE = 32       # its date was corrected

cdef struct Dated:
    int64_t date
    uint64_t name   # its beginning
    uint32_t number


cdef int by_date(const void *a, const void *b) noexcept nogil:
    cdef const Dated *one = <const Dated *> a
    cdef const Dated *other = <const Dated *> b
    if one.date != other.date:
        return -1 if one.date < other.date else 1
    return -1 if one.name < other.name else one.name > other.name


cdef class Commits:
    """The commits of some packs: tree, parents, and the date corrected so that none is before its parents'.

    Commits have numbers: those of the first pack in the order of their names, then those of the next. Each takes about
    30 bytes and its name.
    """

    cdef list _packs
    cdef bytes _loose
    cdef int _width
    cdef uint32_t _count, _room, _used
    cdef uint32_t *_bases       # for each pack the number of its first commit; then of the loose ones; then of all
    cdef uint32_t *_places      # of each commit in the index of its pack
    cdef uint8_t *_trees
    cdef int64_t *_dates
    cdef uint32_t *_first       # of its parents in `_parents`
    cdef uint16_t *_many        # how many there are
    cdef uint32_t *_parents
    cdef uint8_t *_flags

    def __cinit__(self, list packs, int id_length, dict loose, said):
        """`loose` has what stands in the commits outside of the packs, by their binary names; `said` what walks have
        heard already, with the place of the pack."""
        cdef Pack pack
        cdef uint32_t i, n, count = 0
        cdef Cache cache
        self._packs, self._width = packs, id_length
        self._loose = b"".join(sorted(loose))
        n = <uint32_t> len(packs)
        for pack in packs:
            pack._needs_to_be_grown()
            for i in range(pack.count):
                count += pack.nodes[i].kind == COMMIT
        self._count = count + <uint32_t> len(loose)
        self._bases = <uint32_t *> calloc(n + 2, sizeof(uint32_t))
        self._places = <uint32_t *> calloc(count + 1, sizeof(uint32_t))
        self._trees = <uint8_t *> calloc(self._count + 1, id_length)
        self._dates = <int64_t *> calloc(self._count + 1, sizeof(int64_t))
        self._first = <uint32_t *> calloc(self._count + 1, sizeof(uint32_t))
        self._many = <uint16_t *> calloc(self._count + 1, sizeof(uint16_t))
        self._flags = <uint8_t *> calloc(self._count + 1, 1)
        if (
            self._bases == NULL or self._places == NULL or self._trees == NULL or self._dates == NULL
            or self._first == NULL or self._many == NULL or self._flags == NULL
        ):
            raise MemoryError
        for i in range(n):
            self._bases[i + 1] = self._bases[i] + self._number_commits(packs[i], i)
        self._bases[n + 1] = self._count
        for which, heard in said:
            self._take_all(which, heard)
        for i in range(n):
            cache = Cache(4 << 20)
            self._read_pack(packs[i], i, cache)
        for i, name in enumerate(sorted(loose)):
            self._parse(count + i, loose[name])
        self._correct_dates()

    def __dealloc__(self):
        free(self._bases)
        free(self._places)
        free(self._trees)
        free(self._dates)
        free(self._first)
        free(self._many)
        free(self._parents)
        free(self._flags)

    cdef uint32_t _number_commits(self, Pack pack, uint32_t which) except? 0xFFFFFFFF:
        """Give the commits of a pack numbers in the order of their names."""
        cdef uint32_t i, at = self._bases[which], place
        cdef Pack other
        cdef const uint8_t *name
        chosen = bytearray(pack.count // 8 + 1)
        cdef uint8_t[::1] bits = chosen
        for i in range(pack.count):
            if pack.nodes[i].kind == COMMIT:
                bits[pack.nodes[i].place >> 3] |= 1 << (pack.nodes[i].place & 7)
        for place in range(pack.count):
            if not bits[place >> 3] >> (place & 7) & 1:
                continue
            self._places[at] = place
            name = pack.ids + <uint64_t> place * self._width
            for i in range(which):
                other = self._packs[i]
                if self._in_pack(i, other, name) != NONE:
                    self._flags[at] = TWICE
                    break
            at += 1
        return at - self._bases[which]

    cdef uint32_t _in_pack(self, uint32_t which, Pack pack, const uint8_t *name) noexcept:
        """The number of a commit that a pack has, or NONE."""
        cdef uint32_t place = pack._place_of(name)
        cdef uint32_t low = self._bases[which], end = self._bases[which + 1], high = end, middle
        if place == NONE:
            return NONE
        while low < high:
            middle = low + (high - low) // 2
            if self._places[middle] < place:
                low = middle + 1
            else:
                high = middle
        return low if low < end and self._places[low] == place else NONE

    cdef uint32_t _number(self, const uint8_t *name) noexcept:
        """The number of a commit, or NONE."""
        cdef uint32_t i, number, n = <uint32_t> len(self._packs), low, high, middle
        cdef int order
        cdef const uint8_t *loose = <const uint8_t *> PyBytes_AS_STRING(self._loose)
        for i in range(n):
            number = self._in_pack(i, <Pack> self._packs[i], name)
            if number != NONE:
                return number
        low, high = 0, self._bases[n + 1] - self._bases[n]
        while low < high:
            middle = low + (high - low) // 2
            order = memcmp(loose + <uint64_t> middle * self._width, name, self._width)
            if order == 0:
                return self._bases[n] + middle
            if order < 0:
                low = middle + 1
            else:
                high = middle
        return NONE

    cdef const uint8_t *_name(self, uint32_t number) noexcept:
        cdef uint32_t i, n = <uint32_t> len(self._packs)
        for i in range(n):
            if number < self._bases[i + 1]:
                return (<Pack> self._packs[i]).ids + <uint64_t> self._places[number] * self._width
        return <const uint8_t *> PyBytes_AS_STRING(self._loose) + <uint64_t> (number - self._bases[n]) * self._width

    cdef int _read_pack(self, Pack pack, uint32_t which, Cache cache) except -1:
        cdef uint32_t node, number
        for node in range(pack.count):
            if pack.nodes[node].kind != COMMIT:
                continue
            number = self._in_pack(which, pack, pack.ids + <uint64_t> pack.nodes[node].place * self._width)
            if number == NONE or self._flags[number] & (READ | TWICE):
                continue
            if cache.work > 64 * pack.end + (1 << 30):      # made to take for ever: git is asked
                return 0
            try:
                text = pack.read(node, cache, LARGEST_COMMIT)
            except BrokenError:
                continue
            self._parse(number, text)
        return 0

    cdef int _parse(self, uint32_t number, bytes text) except -1:
        """What a commit says of itself."""
        said = bytearray()
        if say(text, self._width, said):
            self._take(number, said, 0)
        return 0

    cdef uint64_t _take(self, uint32_t number, const uint8_t[::1] said, uint64_t at) except 0:
        """The same, as `say` has put it; returns where that ends."""
        cdef const uint8_t *p = &said[at]
        cdef int i, many = (p[8] << 8) | p[9]
        if self._used > 8 * <uint64_t> self._count + (1 << 20):     # more parents than a history has: git is asked
            return at + 10 + (1 + many) * self._width
        self._dates[number], self._first[number], self._many[number] = <int64_t> big64(p), self._used, <uint16_t> many
        memcpy(self._trees + <uint64_t> number * self._width, p + 10, self._width)
        for i in range(1, many + 1):
            self._add_parent(self._number(p + 10 + i * self._width))
        self._flags[number] |= READ
        return at + 10 + (1 + many) * self._width

    cdef int _take_all(self, uint32_t which, const uint8_t[::1] said) except -1:
        """What commits of a pack say of themselves, as a `Walk` has put it."""
        cdef Pack pack = self._packs[which]
        cdef uint64_t at = 0
        cdef uint32_t number
        while at < <uint64_t> said.shape[0]:
            number = self._in_pack(which, pack, &said[at])
            if number == NONE:
                return 0    # it was changed meanwhile: what is left is read from it
            at = self._take(number, said, at + self._width)
        return 0

    cdef int _add_parent(self, uint32_t number) except -1:
        if self._used == self._room:
            more = <uint32_t *> realloc(self._parents, (2 * <uint64_t> self._room + 1024) * sizeof(uint32_t))
            if more == NULL:
                raise MemoryError
            self._parents = more
            self._room = 2 * self._room + 1024
        self._parents[self._used] = number
        self._used += 1
        return 0

    cdef int _correct_dates(self) except -1:
        """Each at least a second behind its parents: parents first, with a stack of our own."""
        cdef uint32_t *stack = <uint32_t *> malloc((<uint64_t> self._count + 1) * sizeof(uint32_t))
        cdef uint16_t *done = <uint16_t *> calloc(self._count + 1, sizeof(uint16_t))
        cdef uint32_t i, depth, at, parent
        if stack == NULL or done == NULL:
            free(stack)
            free(done)
            raise MemoryError
        for i in range(self._count):
            if self._flags[i] & SEEN:
                continue
            self._flags[i] |= SEEN
            stack[0], depth = i, 1
            while depth:
                at = stack[depth - 1]
                if done[at] < self._many[at]:
                    parent = self._parents[self._first[at] + done[at]]
                    done[at] += 1
                    if parent != NONE and not self._flags[parent] & SEEN:
                        self._flags[parent] |= SEEN
                        stack[depth] = parent
                        depth += 1
                    continue
                for parent in self._parents[self._first[at] : self._first[at] + self._many[at]]:
                    if parent != NONE and self._dates[parent] >= self._dates[at]:
                        self._dates[at] = self._dates[parent] + 1
                        self._flags[at] |= LATE
                depth -= 1
        free(stack)
        free(done)
        return 0

    def listed(self, list tips, list without) -> bytes:
        """The names, joined, of the commits that tips reach and others do not: by date, then by name."""
        cdef uint32_t *found = <uint32_t *> malloc((<uint64_t> self._count + 1) * sizeof(uint32_t))
        cdef Dated *dated = NULL
        cdef uint32_t many, i
        if found == NULL:
            raise MemoryError
        try:
            for i in range(self._count):
                self._flags[i] &= ~(<uint8_t> (HIDDEN | SEEN))
            self._reach(without, HIDDEN, found)
            many = self._reach(tips, SEEN, found)
            dated = <Dated *> malloc((<uint64_t> many + 1) * sizeof(Dated))
            if dated == NULL:
                raise MemoryError
            for i in range(many):
                dated[i].number, dated[i].date = found[i], self._dates[found[i]]
                dated[i].name = big64(self._name(found[i]))
                self._flags[found[i]] |= LISTED
            qsort(dated, many, sizeof(Dated), by_date)
            out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t> many * self._width)
            for i in range(many):
                memcpy(PyBytes_AS_STRING(out) + <uint64_t> i * self._width, self._name(dated[i].number), self._width)
            return out
        finally:
            free(found)
            free(dated)

    cdef uint32_t _reach(self, list tips, uint8_t flag, uint32_t *found) except? 0xFFFFFFFF:
        """Mark what tips reach, but for what is hidden; it stands in `found`, and how many there are is returned."""
        cdef uint32_t many = 0, at = 0, number, i
        for name in tips:
            self._come_to(self._number_of(name), flag, found, &many)
        while at < many:
            number = found[at]
            at += 1
            for i in range(self._many[number]):
                self._come_to(self._parents[self._first[number] + i], flag, found, &many)
        return many

    cdef int _come_to(self, uint32_t number, uint8_t flag, uint32_t *found, uint32_t *many) except -1:
        if number == NONE or not self._flags[number] & READ:
            raise ElsewhereError("a commit that is not in these packs")
        if not self._flags[number] & (flag | HIDDEN):
            self._flags[number] |= flag
            found[many[0]] = number
            many[0] += 1
        return 0

    cdef uint32_t _number_of(self, bytes name) except? 0xFFFFFFFF:
        if PyBytes_GET_SIZE(name) != self._width:
            raise ElsewhereError("no name")
        return self._number(<const uint8_t *> PyBytes_AS_STRING(name))

    cdef uint32_t _known(self, bytes name) except 0xFFFFFFFF:
        cdef uint32_t number = self._number_of(name)
        if number == NONE or not self._flags[number] & READ:
            raise ElsewhereError("a commit that is not in these packs")
        return number

    cpdef bytes tree(self, bytes name):
        """The name of a commit's tree."""
        cdef uint64_t at = <uint64_t> self._known(name) * self._width
        return PyBytes_FromStringAndSize(<const char *> self._trees + at, self._width)

    cpdef list parents(self, bytes name):
        """The names of a commit's parents."""
        cdef uint32_t number = self._known(name), parent
        cdef list out = []
        for parent in self._parents[self._first[number] : self._first[number] + self._many[number]]:
            if parent == NONE:
                raise ElsewhereError("a commit that is not in these packs")
            out.append(PyBytes_FromStringAndSize(<const char *> self._name(parent), self._width))
        return out

    def date(self, bytes name) -> int:
        """When a commit was made, in seconds since 1970, or a second behind its parents; -1 where that is not known."""
        cdef uint32_t number = self._number_of(name)
        return -1 if number == NONE or not self._flags[number] & READ else self._dates[number]

    def corrected(self) -> bytes:
        """The beginnings of the names of all commits whose date was corrected, and these dates: 8 bytes each, joined."""
        cdef uint32_t i
        cdef uint8_t[16] record
        cdef int j
        out = bytearray()
        for i in range(self._count):
            if self._flags[i] & LATE and not self._flags[i] & TWICE:
                memcpy(record, self._name(i), 8)
                for j in range(8):
                    record[8 + j] = <uint8_t> (self._dates[i] >> (8 * (7 - j)))
                out += (<const char *> record)[:16]
        return bytes(out)

    def note(self, bytes name) -> None:
        """A commit was listed by somebody else."""
        cdef uint32_t number = self._number_of(name)
        if number != NONE:
            self._flags[number] |= LISTED

    def unlisted(self) -> bytes:
        """The names of the commits that were not listed so far, joined."""
        cdef uint32_t i
        out = bytearray()
        for i in range(self._count):
            if not self._flags[i] & (LISTED | TWICE):
                out += <bytes> (<const char *> self._name(i))[: self._width]
        return bytes(out)


# --- trees compared ---------------------------------------------------------------------------------------------------


cdef struct Entry:
    # An entry of a tree: where it begins and ends, its name, its mode as git sees it.
    uint64_t start, end, name, name_end
    uint32_t mode


cdef int parse_entry(const uint8_t *p, uint64_t at, uint64_t size, int id_length, Entry *entry) except -1:
    cdef uint32_t mode = 0
    cdef const uint8_t *zero
    entry.start = at
    while at < size and p[at] != 32:
        if not 48 <= p[at] <= 55 or at - entry.start > 6:
            raise ElsewhereError("a tree with an odd mode")
        mode = (mode << 3) | (p[at] - 48)
        at += 1
    entry.name = at + 1
    if entry.name >= size:
        raise ElsewhereError("a tree that ends too soon")
    zero = <const uint8_t *> memchr(p + entry.name, 0, size - entry.name)
    if zero == NULL or <uint64_t> (p + size - zero) < <uint64_t> id_length + 1:
        raise ElsewhereError("a tree that ends too soon")
    entry.name_end = zero - p
    entry.end = entry.name_end + 1 + id_length
    if mode >> 12 == 8:
        mode = 0o100755 if mode & 0o100 else 0o100644
    elif mode >> 12 != 10:
        mode &= 0o170000
    entry.mode = mode
    return 0


cdef uint64_t alike(const uint8_t *a, const uint8_t *b, uint64_t size) noexcept nogil:
    """How many bytes are the same at the beginning."""
    cdef uint64_t at = 0
    while at + 64 <= size and memcmp(a + at, b + at, 64) == 0:
        at += 64
    while at < size and a[at] == b[at]:
        at += 1
    return at


cdef uint64_t boundary(const uint8_t *p, uint64_t end, int id_length) noexcept nogil:
    """Where the last entry ends that ends before `end`, from the beginning of one."""
    cdef const uint8_t *zero
    cdef uint64_t at = 0
    while at + 7 < end:
        zero = <const uint8_t *> memchr(p + at + 6, 0, end - at - 6)    # behind the shortest mode, "40000 "
        if zero == NULL or <uint64_t> (p + end - zero) < <uint64_t> id_length + 1:
            return at
        at = <uint64_t> (zero - p) + 1 + id_length
    return at


cdef int order_of(const uint8_t *a, Entry *one, const uint8_t *b, Entry *other) noexcept:
    """How git sorts two entries: the names of trees as if a slash stood behind them."""
    cdef uint64_t la = one.name_end - one.name, lb = other.name_end - other.name, least = min(la, lb)
    cdef int order = memcmp(a + one.name, b + other.name, least)
    cdef uint8_t x, y
    if order:
        return order
    x = a[one.name + least] if la > least else (47 if one.mode == 0o40000 else 0)
    y = b[other.name + least] if lb > least else (47 if other.mode == 0o40000 else 0)
    if x != y:
        return -1 if x < y else 1
    return -1 if la < lb else la > lb


cdef class Trees:
    """Says what commits brought in, as `git diff-tree -r -c --root` does: the files that no parent has so.

    Only the packs given are read. What is not there, or is odd, raises `ElsewhereError`: git then tells about it.
    """

    cdef list _packs
    cdef Commits _commits
    cdef Cache _cache
    cdef int _id_length
    cdef object _wanted, _loose
    cdef uint64_t _most
    cdef readonly uint64_t seen
    """Entries that were compared, of all commits."""
    cdef uint64_t _left
    cdef list _out

    def __cinit__(
        self, list packs, int id_length, Commits commits, *, set wanted, set loose, uint64_t most, uint64_t cache
    ):
        """`wanted` are binary names of blobs. If `loose` is not None, blobs that are neither in a pack nor among these
        names are told, too. `most` is how many entries of one commit are looked at."""
        self._packs, self._id_length, self._wanted, self._loose, self._most = packs, id_length, wanted, loose, most
        for pack in packs:
            (<Pack> pack)._needs_to_be_grown()
        self._cache, self._commits = Cache(cache), commits

    cdef bytes _read(self, const uint8_t *name, int kind):
        cdef Pack pack
        cdef uint32_t node
        for pack in self._packs:
            node = pack._named(name)
            if node == NONE:
                continue
            if pack.nodes[node].kind != kind:
                raise ElsewhereError("an object of another kind")
            try:
                return pack.read(node, self._cache, 64 << 20)
            except BrokenError as e:
                raise ElsewhereError(str(e)) from e
        raise ElsewhereError("an object that is not in a pack")

    cdef bint _has(self, bytes name) except -1:
        cdef Pack pack
        for pack in self._packs:
            if pack._place_of(<const uint8_t *> PyBytes_AS_STRING(name)) != NONE:
                return True
        return name in self._loose

    def changes(self, bytes commit, list parents=None) -> list:
        """(path, blob's binary name, whether it is a symbolic link) of what a commit brought in, against its parents
        or the commits given instead."""
        cdef bytes tree = self._commits.tree(commit)
        cdef list trees = [self._commits.tree(parent) for parent in parents or self._commits.parents(commit)]
        self._left, self._out = self._most, []
        if tree not in trees:
            self._compare(b"", tree, trees, 0)
        return self._out

    cdef int _compare(self, bytes prefix, bytes tree, list others, int depth) except -1:
        """Compare a tree with those at the same place in each parent; None where a parent has none."""
        cdef bytes content = self._read(<const uint8_t *> PyBytes_AS_STRING(tree), TREE)
        cdef const uint8_t *p = <const uint8_t *> PyBytes_AS_STRING(content)
        cdef uint64_t size = PyBytes_GET_SIZE(content), at = 0, furthest, step
        cdef list contents = [], below
        cdef uint64_t[16] here, same, sizes, names
        cdef Bytes[16] q
        cdef bint[16] matched
        cdef Entry entry, other
        cdef int n = <int> len(others), i, order
        cdef bint known
        if n > 16 or depth > 500:
            raise ElsewhereError("more parents or levels than are read here")
        for i in range(n):
            text = b"" if others[i] is None else self._read(<const uint8_t *> PyBytes_AS_STRING(<bytes> others[i]), TREE)
            contents.append(text)
            q[i] = <const uint8_t *> PyBytes_AS_STRING(<bytes> text)
            sizes[i] = PyBytes_GET_SIZE(<bytes> text)
            here[i] = 0
        while at < size:
            furthest = 0
            for i in range(n):      # skip what is the same as in some parent, without looking into it
                same[i] = alike(p + at, q[i] + here[i], min(size - at, sizes[i] - here[i]))
                furthest = max(furthest, same[i])
            if furthest == size - at:
                return 0
            step = boundary(p + at, furthest, self._id_length)
            if step:
                for i in range(n):
                    here[i] += step if same[i] >= step else boundary(p + at, same[i], self._id_length)
                at += step
            parse_entry(p, at, size, self._id_length, &entry)
            at = entry.end
            if self._left == 0:
                raise ElsewhereError("more changes than are looked at")
            self._left -= 1
            self.seen += 1
            known = False
            for i in range(n):
                matched[i] = False
                while here[i] < sizes[i]:
                    parse_entry(q[i], here[i], sizes[i], self._id_length, &other)
                    order = order_of(q[i], &other, p, &entry)
                    if order > 0:
                        break
                    here[i] = other.end
                    if order == 0:
                        if other.mode == entry.mode and (
                            memcmp(p + entry.name_end, q[i] + other.name_end, self._id_length + 1) == 0
                        ):
                            known = True
                        else:
                            matched[i] = other.mode == entry.mode
                            names[i] = other.name_end + 1
                        break
            if known:
                continue
            name = content[entry.name : entry.name_end]
            found = content[entry.name_end + 1 : entry.end]
            if entry.mode == 0o40000:
                below = [
                    (<bytes> contents[i])[names[i] : names[i] + self._id_length] if matched[i] else None for i in range(n)
                ]
                self._compare(prefix + name + b"/", found, below, depth + 1)
            elif entry.mode >> 12 == 8 or entry.mode >> 12 == 10:
                if found in self._wanted or (self._loose is not None and not self._has(found)):
                    self._out.append((prefix + name, found, entry.mode >> 12 == 10))
        return 0
