-- fail: The macros report in another time zone than the settings say: set it with pnlbook, which changes both
SELECT value AS zone_of_settings, book_timezone() AS zone_of_macros
FROM book_settings
WHERE name = 'timezone' AND value IS DISTINCT FROM book_timezone();
