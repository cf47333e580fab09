-- The router's statements take arrays of a length that differs each time, so the planner finds a
-- plan made for just these values always a little cheaper and plans anew for every batch of one.
-- With the choices left by 0001 (indexes and nested loops) both plans are the same plan.
ALTER ROLE turunc_router SET plan_cache_mode = force_generic_plan;
ALTER ROLE turunc_intake SET plan_cache_mode = force_generic_plan;
