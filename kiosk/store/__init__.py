"""What a kiosk keeps: the journal (precious) and the roster (disposable). The only room with SQL in it."""
