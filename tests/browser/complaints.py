"""What a page's console complains about, without what a story brings about itself."""


class ComplaintsBut(list[str]):
    """Takes every complaint that does not begin with one of these."""

    def __init__(self, *expected: str) -> None:
        super().__init__()
        self._expected = expected

    def append(self, text: str) -> None:
        """Note a complaint, unless it was to be expected."""
        if not text.startswith(self._expected):
            super().append(text)
