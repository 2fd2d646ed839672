-- sample.sql -- a table is built, indexed, asked and changed, in memory
create table item (id integer primary key, name text, weight real, body blob);
with recursive n (i) as (select 1 union all select i + 1 from n where i < 60000)
insert into item
select i, 'item ' || (i * 7919 % 60000), i * 0.5, zeroblob(20 + i % 50) from n;
create index item_name on item (name);
select count(*), sum(length(body)) from item where name like '%7%';
select a.name, count(*) from item a join item b on b.name = 'item ' || (a.id / 3)
 where a.id < 5000 group by length(a.name) order by 1;
update item set name = upper(name) where id % 3 = 0;
delete from item where id % 5 = 0;
select name, group_concat(id, ',') from item where id < 200 group by weight > 50;
