"""What stands in the way of making, keeping or ending a membership; the message is a sentence for a person."""


class EnrolmentError(Exception):
    """What was asked for is refused, or cannot be done yet."""
